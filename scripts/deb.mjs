// Builds the Debian package from what is compiled, with Debian's own tools (dpkg-deb, dpkg-shlibdeps):
//
//   node scripts/deb.mjs [FOLDER]       scriptd_VERSION_ARCH.deb, here or in that folder
//
// DEBFULLNAME and DEBEMAIL name its maintainer, as for other tools of Debian.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { copyProduction } from './production.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const scripts = ['postinst', 'prerm', 'postrm'];
const programs = ['usr/lib/scriptd/bin/scriptd', 'usr/lib/scriptd/build/Release/scriptd-init'];
const documents = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'docs'];

const { DEBFULLNAME: name = 'scriptd', DEBEMAIL: address = 'scriptd@scriptd.invalid' } =
  process.env;
const maintainer = `${name} <${address}>`;
const overrides = `# Runs in sandboxes where there is no libc.
scriptd: statically-linked-binary [usr/lib/scriptd/build/Release/scriptd-init]
`;

const read = (path) => readFileSync(join(root, path), 'utf8');

/** What is installed, as it lies below /. */
function layOut(tree) {
  const at = (path) => {
    const target = join(tree, path);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  };
  const write = (path, content) => writeFileSync(at(path), content);
  copyProduction(at('usr/lib/scriptd'));
  // They are where they belong; install-units is for those who have no package.
  rmSync(join(tree, 'usr/lib/scriptd/deploy'), { recursive: true });
  rmSync(join(tree, 'usr/lib/scriptd/LICENSE'));
  mkdirSync(at('usr/bin/.'), { recursive: true });
  symlinkSync('../lib/scriptd/bin/scriptd', at('usr/bin/scriptd'));
  const conffiles = [];
  for (const name of readdirSync(join(root, 'deploy/systemd')).sort()) {
    const target = targetOf(name);
    if (target.startsWith('etc/')) conffiles.push(`/${target}`);
    write(target, read(join('deploy/systemd', name)));
  }
  const documentation = 'usr/share/doc/scriptd';
  for (const path of documents) {
    cpSync(join(root, path), at(join(documentation, path.replace(/^docs$/, '.'))), {
      recursive: true,
    });
  }
  write(join(documentation, 'copyright'), copyright(read('LICENSE')));
  write(join(documentation, 'changelog.gz'), gzipSync(changelog(), { level: 9 }));
  const manual = gzipSync(read('docs/scriptd.1'), { level: 9 });
  write('usr/share/man/man1/scriptd.1.gz', manual);
  write('usr/share/lintian/overrides/scriptd', overrides);
  return conffiles;
}

/** Source: deb-changelog(5) */
function changelog() {
  const at = Number(process.env.SOURCE_DATE_EPOCH ?? Date.now() / 1_000) * 1_000;
  const date = new Date(at).toUTCString().replace('GMT', '+0000');
  return `scriptd (${version}) unstable; urgency=medium\n\n  * CHANGELOG.md\n\n -- ${maintainer}  ${date}\n`;
}

function targetOf(name) {
  if (name.endsWith('.sysusers')) return 'usr/lib/sysusers.d/scriptd.conf';
  if (/\.(yaml|env)$/.test(name)) return `etc/scriptd/${name}`;
  return `usr/lib/systemd/system/${name}`;
}

/** Source: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
function copyright(license) {
  const [, holder = ''] = /^Copyright \(c\) (.+)$/m.exec(license) ?? [];
  const text = license.slice(license.indexOf('Permission')).trim();
  const lines = text.split('\n').map((line) => (line === '' ? ' .' : ` ${line}`));
  const format = 'https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/';
  return [
    ...[`Format: ${format}`, '', 'Files: *', `Copyright: ${holder}`, 'License: MIT', ...lines, ''],
    ...['Files: usr/lib/scriptd/node_modules/*', 'Copyright: their authors', 'License: various'],
    ' Each package says it in its own LICENSE file and in `license` of its package.json.',
    '',
  ].join('\n');
}

function* filesOf(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* filesOf(path);
  }
}

function setModes(tree) {
  for (const path of filesOf(tree)) {
    const status = lstatSync(path);
    if (status.isSymbolicLink()) continue;
    const isProgram = programs.includes(relative(tree, path));
    chmodSync(path, status.isDirectory() || isProgram ? 0o755 : 0o644);
  }
}

function control(tree, work, conffiles) {
  const folder = join(tree, 'DEBIAN');
  const sums = [...filesOf(tree)]
    .filter((path) => lstatSync(path).isFile())
    .map((path) => {
      const sum = createHash('md5').update(readFileSync(path)).digest('hex');
      return `${sum}  ${relative(tree, path)}\n`;
    });
  const bytes = [...filesOf(tree)].reduce((sum, path) => sum + lstatSync(path).size, 0);
  const fields = {
    Package: 'scriptd',
    Version: version,
    Architecture: execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim(),
    Maintainer: maintainer,
    'Installed-Size': Math.ceil(bytes / 1024),
    Depends: [...libraries(tree, work), 'nodejs (>= 20.17)', 'systemd'].join(', '),
    Recommends: 'python3',
    Section: 'net',
    Priority: 'optional',
    Description:
      `runs scripts that come over HTTP\n ${description}:\n` +
      ' sandboxed, scored, queued, timed and retried.',
  };
  mkdirSync(folder);
  const lines = Object.entries(fields).map(([key, value]) => `${key}: ${value}\n`);
  writeFileSync(join(folder, 'control'), lines.join(''));
  writeFileSync(join(folder, 'md5sums'), sums.sort().join(''));
  writeFileSync(join(folder, 'conffiles'), conffiles.map((path) => `${path}\n`).join(''));
  for (const script of scripts) {
    writeFileSync(join(folder, script), read(join('deploy/debian', script)), { mode: 0o755 });
    chmodSync(join(folder, script), 0o755);
  }
}

/** Packages with the shared libraries that the binaries need, with their versions. */
function libraries(tree, work) {
  mkdirSync(join(work, 'debian'));
  // It wants a source package to belong to.
  writeFileSync(
    join(work, 'debian/control'),
    'Source: scriptd\n\nPackage: scriptd\nArchitecture: any\n',
  );
  const built = join(tree, 'usr/lib/scriptd/build/Release');
  const files = ['epoll.node', 'sandbox.node', 'libscriptd_sandbox.so'];
  const said = execFileSync('dpkg-shlibdeps', ['-O', ...files.map((name) => join(built, name))], {
    cwd: work,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return said
    .trim()
    .replace(/^shlibs:Depends=/, '')
    .split(', ');
}

const work = mkdtempSync(join(tmpdir(), 'scriptd-deb-'));
try {
  const tree = join(work, 'tree');
  const conffiles = layOut(tree);
  setModes(tree);
  control(tree, work, conffiles);
  const target = resolve(process.argv[2] ?? root);
  mkdirSync(target, { recursive: true });
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree, target], {
    stdio: 'inherit',
  });
} finally {
  rmSync(work, { recursive: true });
}
