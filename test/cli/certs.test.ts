import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';

const files = ['ca', 'controller', 'http', 'worker'].flatMap((name) => [
  `${name}.crt`,
  `${name}.key`,
]);

function certs(...args: string[]) {
  const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd')];
  const { status, stderr, stdout } = spawnSync('env', [...clean, 'certs', ...args], {
    encoding: 'utf8',
  });
  return { status, stderr, stdout };
}

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-certs-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

const read = (folder: string, name: string) =>
  new X509Certificate(readFileSync(join(folder, `${name}.crt`)));

t.test('an authority and a certificate for each part, for their owner only', async (t) => {
  const folder = join(folderOf(t), 'new', 'certs');
  const made = certs('init', '--out', folder, '--host', 'controller.example', '10.0.0.5', '::1');
  t.equal(made.status, 0, made.stderr);
  t.match(made.stdout, /worker: +ca.crt, worker.crt, worker.key/);
  t.same(readdirSync(folder).sort(), files);
  for (const file of files) t.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  const authority = read(folder, 'ca');
  t.ok(authority.ca);
  for (const role of ['controller', 'http', 'worker']) {
    const certificate = read(folder, role);
    t.ok(certificate.verify(authority.publicKey) && certificate.checkIssued(authority), role);
    t.notOk(certificate.ca);
    t.match(certificate.subjectAltName, `URI:urn:scriptd:${role}`);
    t.equal(certificate.checkHost('controller.example'), 'controller.example');
    t.equal(certificate.checkIP('10.0.0.5'), '10.0.0.5');
  }
});

t.test('nothing is overwritten, and renewing keeps the authority', async (t) => {
  const folder = folderOf(t);
  t.match(certs('renew', '--out', folder), { status: 64, stderr: /NO_AUTHORITY/ });
  writeFileSync(join(folder, 'worker.key'), 'of somebody');
  t.match(certs('init', '--out', folder), { status: 64, stderr: /worker.key.*CERTS_EXIST/s });
  t.same(readdirSync(folder), ['worker.key']);
  rmSync(join(folder, 'worker.key'));
  t.equal(certs('init', '--out', folder).status, 0);
  const before = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  t.equal(certs('renew', '--out', folder).status, 0);
  const after = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  t.same(readdirSync(folder).sort(), files);
  t.same(
    files.filter((_, index) => before[index] === after[index]),
    ['ca.crt', 'ca.key'],
  );
  t.ok(read(folder, 'worker').checkIssued(read(folder, 'ca')));
});

t.test('an authority that was broken off is completed, or the files are named', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'ca.key'), 'of an init that was broken off');
  const refused = certs('init', '--out', folder);
  t.match(refused, { status: 64, stderr: /has ca.key already.*remove these files.*CERTS_EXIST/s });
  rmSync(join(folder, 'ca.key'));
  t.equal(certs('init', '--out', folder).status, 0);
  for (const file of ['http.crt', 'worker.key', 'worker.crt']) rmSync(join(folder, file));
  t.match(certs('init', '--out', folder), { status: 64, stderr: /what is missing.*certs renew/ });
  t.equal(certs('renew', '--out', folder).status, 0);
  t.same(readdirSync(folder).sort(), files);
  for (const file of files) t.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
});

t.test('a host that is none is refused before anything is written', async (t) => {
  const folder = folderOf(t);
  for (const host of ['tcp://a', 'a:5005', 'a,DNS:b']) {
    t.match(certs('init', '--out', folder, '--host', host), { status: 64 }, host);
  }
  t.same(readdirSync(folder), []);
});
