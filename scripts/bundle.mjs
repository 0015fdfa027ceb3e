// Makes one file of the program and of its packages, and runs each part of it once for what V8
// compiles meanwhile (bin/bundle.mjs loads both):
//
//   node scripts/bundle.mjs             dist/bundle, from what tsc has written
//   node scripts/bundle.mjs --code      only the compiled code, for the node that runs this
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleFor, codeFileOf } from '../bin/bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'dist', 'bundle');
const file = join(folder, 'scriptd.cjs');
/** Loaded from node_modules: native, big and hardly ever needed, or read as files. */
const external = [
  '@fastify/swagger-ui',
  '@kubernetes/client-node',
  '@modelcontextprotocol/sdk',
  '@peculiar/x509',
  'lmdb',
  'msgpackr-extract',
  'node-gyp-build',
];
const runMsMax = 20_000;

async function bundle() {
  const { build } = await import('esbuild');
  rmSync(folder, { recursive: true, force: true });
  await build({
    entryPoints: [join(root, 'dist/src/cli/main.js')],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20.17',
    format: 'cjs',
    charset: 'ascii',
    external,
    banner: {
      js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;",
    },
    define: { 'import.meta.url': 'importMetaUrl' },
    logLevel: 'warning',
  });
  // A script that comes from compiled code cannot import by itself: V8 does not keep who does it.
  writeFileSync(
    file,
    readFileSync(file, 'latin1').replaceAll(/(?<![.\w$])import\(/g, 'importModule('),
  );
}

/** What each part is run with, and what it prints when it has started, unless it ends by itself. */
function runs(dataDir) {
  const where = [`--data-dir=${dataDir}`, '--log-level=silent'];
  const ports = ['--port=0', '--debug-port=0'];
  const workers = ['--workers=noop=1', '--isolation=none'];
  const worker = ['--type=bash', '--isolation=none'];
  return [
    { args: ['up', ...where, ...ports, ...workers], started: 'scriptd ready' },
    { args: ['controller', ...where, ...workers], started: 'scriptd controller listening' },
    { args: ['http', ...where, ...ports], started: 'scriptd http listening' },
    { args: ['worker', ...where, ...worker], started: 'scriptd worker listening' },
    { args: ['queues', '--url=http://127.0.0.1:9'], started: undefined },
  ];
}

/** Without what configures the service of whoever builds: a worker would join that. */
function environment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('SCRIPTD_') || name === 'SCRIPTD_NATIVE_DIR',
  );
  return { ...Object.fromEntries(kept), NODE_OPTIONS: '' };
}

/**
 * Until it has started. As it ends, its process writes what V8 has compiled.
 *
 * @param cwd a folder without a scriptd.yaml
 */
async function run({ args, started }, cwd) {
  const self = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [self, '--run', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: runMsMax,
    cwd,
    env: environment(),
  });
  child.stdout.on('data', (text) => {
    if (started && `${text}`.includes(started)) child.kill('SIGTERM');
  });
  await once(child, 'exit');
  if (existsSync(codeFileOf(args[0]))) return;
  // It works all the same.
  console.error(`scriptd: \`${args[0]}\` did not start here: it will take longer to`);
}

async function compileCode() {
  if (!existsSync(file)) return;
  for (const name of readdirSync(folder)) if (name.endsWith('.code')) rmSync(join(folder, name));
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-bundle-'));
  try {
    // One after the other: they have one folder.
    for (const one of runs(dataDir)) await run(one, dataDir);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

/** This process is that part. */
async function runHere(args) {
  const { load, keepCode } = bundleFor(args[0]);
  process.on('exit', keepCode);
  await load().main(args);
}

const [how, ...args] = process.argv.slice(2);
if (how === '--run') {
  await runHere(args);
} else {
  if (how !== '--code') await bundle();
  await compileCode();
}
