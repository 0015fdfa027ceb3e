// Writes docs/scriptd.1, the manual page, from the commands as they are compiled.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { treeOf } from '../dist/src/cli/command-tree.js';
import { manualPage } from '../dist/src/cli/manual.js';
import { createProgram } from '../dist/src/cli/program.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
writeFileSync(join(root, 'docs/scriptd.1'), manualPage(treeOf(createProgram()), version));
