import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../native.js';

/** `scriptd` without a command. */
export function bareProgram(): Command {
  const { version, description } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  ) as { version: string; description: string };
  return new Command('scriptd')
    .description(description)
    .version(version)
    .showSuggestionAfterError()
    .exitOverride();
}
