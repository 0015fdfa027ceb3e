// Copies what a running scriptd needs, and no more, into a folder: the program, the binaries that
// were built, the packages that it depends on. For the Debian package and the container image.
//
//   node scripts/production.mjs FOLDER
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const program = [
  'package.json',
  'LICENSE',
  'bin',
  'dist/bundle',
  'dist/src',
  'dist/web',
  'runtimes',
  'deploy',
];
const binaries = ['epoll.node', 'sandbox.node', 'scriptd-init', 'libscriptd_sandbox.so'];
/** Dependencies that only build the addons. */
const forBuilding = new Set(['node-gyp', 'node-addon-api']);
/** Of a package: what Node loads, what pages load, and under which terms it comes. */
const neededFiles = /(\.([cm]?js|json|node|wasm|css)|^(licen[cs]e|notice|copying)([.-].*)?)$/i;
/** Of another libc, and what editors and linters go by. */
const surplusFiles = /(\.musl\.node$|^\.)/;
const surplusFolders = new Set(['test', 'tests', 'docs', 'examples', 'benchmark', 'benchmarks']);

/** Folders of the packages that are needed, below node_modules, as the lock file has them. */
function neededPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const found = new Set();
  const visit = (from) => {
    const { dependencies = {}, optionalDependencies = {} } = packages[from];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (from === '' && forBuilding.has(name)) continue;
      const path = resolved(packages, from, name);
      // An optional one of another platform is in the lock file and not on disk.
      if (path === undefined || found.has(path) || !existsSync(join(root, path))) continue;
      found.add(path);
      visit(path);
    }
  };
  visit('');
  return [...found].sort();
}

/** As Node looks for it: beside, then further up. */
function resolved(packages, from, name) {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (packages[path]) return path;
    if (folder === '' || folder === '.') return undefined;
  }
}

function copyPackage(path, target) {
  const source = join(root, path);
  cpSync(source, join(target, path), {
    recursive: true,
    filter: (file) => {
      const [first] = relative(source, file).split(sep);
      // Packages within it are listed by themselves.
      if (surplusFolders.has(first) || first === 'node_modules') return false;
      const name = basename(file);
      if (surplusFiles.test(name)) return false;
      return statSync(file).isDirectory() || neededFiles.test(name);
    },
  });
}

/** Folders of which nothing was needed. */
function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

function strip(from, to) {
  execFileSync('strip', ['--strip-unneeded', '-o', to, from]);
}

/** @param target a folder; made if it is not there */
export function copyProduction(target) {
  mkdirSync(target, { recursive: true });
  for (const path of program) {
    cpSync(join(root, path), join(target, path), {
      recursive: true,
      filter: (file) => !/\.(map|d\.ts)$/.test(file) && !file.includes('__pycache__'),
    });
  }
  for (const path of neededPackages()) copyPackage(path, target);
  const packages = join(target, 'node_modules');
  removeEmpty(packages);
  for (const path of readdirSync(packages, { recursive: true })) {
    if (path.endsWith('.node')) strip(join(packages, path), join(packages, path));
  }
  const release = join(target, 'build', 'Release');
  mkdirSync(release, { recursive: true });
  for (const name of binaries) {
    strip(join(root, 'build', 'Release', name), join(release, name));
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const target = process.argv[2];
  if (target === undefined) throw new Error('usage: node scripts/production.mjs FOLDER');
  copyProduction(target);
}
