// Runs the tests of the native addons under AddressSanitizer (with LeakSanitizer) and
// UndefinedBehaviorSanitizer, and the fuzz targets for a while.
//
//   node scripts/sanitize.mjs
//
// Needs cmake and g++ with its sanitizer runtimes; clang++ with libFuzzer for the fuzz targets. Where
// clang++ is missing they are left out, except in CI (SCRIPTD_TEST_ALL=1), where that is a failure.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { headersPrefix } from './build-native.mjs';

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const buildFolder = join(root, 'build-sanitize');
const addonFolder = join(buildFolder, 'Release');
const fuzzFolder = join(buildFolder, 'fuzz');
const reportFolder = join(buildFolder, 'reports');
/** Folder of tests -> which of them exercise the addons. */
const nativeTests = { poll: /\.test\.js$/, worker: /^(collect|sandbox.*)\.test\.js$/ };
const fuzzArguments = ['-runs=20000', '-max_len=512', '-verbosity=0'];

const failures = [];

function run(command, args, options = {}) {
  console.log(`> ${command} ${args.join(' ')}`);
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  if (result.status === 0) return true;
  failures.push(`${args[0]}: ended with ${result.signal ?? result.status}`);
  return false;
}

function buildAddons() {
  const cmakeJs = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  // With a nodedir cmake-js takes node's headers from there instead of downloading them.
  const nodedir = process.env.npm_config_nodedir ?? headersPrefix();
  const env = { ...process.env, ...(nodedir && { npm_config_nodedir: nodedir }) };
  const args = ['compile', '--out', buildFolder, '--prefer-gnu', '--prefer-make', '-l', 'warn'];
  return run(process.execPath, [cmakeJs, ...args], { env });
}

/**
 * The environment of a test. The addon's runtime has to come first in the process, and node itself
 * isn't built with it. node leaks at exit: leaks are written down and change no exit status
 * (exitcode=0), and those of the addons are picked out afterwards.
 */
function sanitizerEnvironment() {
  const runtime = execFileSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  const common = `log_path=${join(reportFolder, 'report')}`;
  const frame = 'stack_trace_format="    #%n %m+%o %F %S"';
  return {
    ...process.env,
    SCRIPTD_NATIVE_DIR: addonFolder,
    LD_PRELOAD: runtime,
    // The 30 s that tap gives a file are for a program without sanitizers.
    TAP_TIMEOUT: '900',
    ASAN_OPTIONS: `${common}:${frame}:detect_leaks=1:exitcode=0:abort_on_error=1`,
    UBSAN_OPTIONS: `${common}:print_stacktrace=1`,
  };
}

/** One process a test, without a runner: it would run under the sanitizers too. */
function runTests() {
  const env = sanitizerEnvironment();
  for (const [folder, pattern] of Object.entries(nativeTests)) {
    const path = join('dist', 'test', folder);
    const files = readdirSync(join(root, path)).filter((name) => pattern.test(name));
    if (files.length === 0) failures.push(`no tests in ${path}`);
    for (const name of files) run(process.execPath, [join(path, name)], { env });
  }
}

/** The module in which memory was allocated: the first frame that is of no allocator. */
function allocatingModule(leak) {
  const modules = [...leak.matchAll(/^ +#\d+ (\S+?)\+0x/gm)].map(([, module]) => module);
  return modules.find((module) => !/\/lib(asan|stdc\+\+)\.so/.test(module));
}

/** What the sanitizers say: every error, and the leaks of the addons. */
function checkReports() {
  for (const name of readdirSync(reportFolder)) {
    const report = readFileSync(join(reportFolder, name), 'utf8');
    const leaks = report.split(/^(?=(?:Direct|Indirect) leak of )/m).slice(1);
    const ours = leaks.filter((leak) => allocatingModule(leak)?.startsWith(addonFolder));
    const onlyLeaks =
      leaks.length > 0 && !/AddressSanitizer:(?! \d+ byte)|runtime error:/.test(report);
    if (onlyLeaks && ours.length === 0) continue;
    failures.push(`a sanitizer's report:\n${onlyLeaks ? ours.join('\n') : report}`);
  }
}

function runFuzzTargets() {
  if (spawnSync('clang++', ['--version']).error) {
    if (process.env.SCRIPTD_TEST_ALL === '1') failures.push('clang++ is missing');
    else console.log('clang++ is missing: the fuzz targets are left out');
    return;
  }
  const options = ['-DSCRIPTD_FUZZ=ON', '-DCMAKE_CXX_COMPILER=clang++'];
  if (!run('cmake', ['-S', root, '-B', fuzzFolder, ...options])) return;
  if (!run('cmake', ['--build', fuzzFolder, '--parallel'])) return;
  const targets = readdirSync(join(root, 'native', 'fuzz')).map((name) => name.replace('.cc', ''));
  for (const target of targets) {
    const corpus = join(fuzzFolder, 'corpus', target);
    mkdirSync(corpus, { recursive: true });
    const artifacts = `-artifact_prefix=${fuzzFolder}/`;
    run(join(fuzzFolder, target), [...fuzzArguments, artifacts, corpus]);
  }
}

rmSync(reportFolder, { recursive: true, force: true });
mkdirSync(reportFolder, { recursive: true });
if (run(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', '.']) && buildAddons()) {
  runTests();
  checkReports();
}
runFuzzTargets();
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(failures.length === 0 ? 'sanitizers: nothing found' : `${failures.length} failures`);
process.exitCode = failures.length === 0 ? 0 : 1;
