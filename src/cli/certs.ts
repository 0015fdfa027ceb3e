import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createFile, syncFolder, writeSynced } from '../durable-file.js';
import { errorMessage, ScriptdError } from '../errors.js';
import { roles } from '../wire/messages.js';
import type { Issued } from './certificate-maker.js';

interface Options {
  out: string;
  host: string[];
}

export function addCertsCommand(program: Command): void {
  const certs = program
    .command('certs')
    .description('certificates for parts that talk to each other over TCP');
  const options = (command: Command) =>
    command
      .requiredOption('--out <dir>', 'folder of the authority and the certificates')
      .option(
        '--host <name...>',
        'names and IP addresses at which controller and workers are reached',
        [] as string[],
      );
  options(certs.command('init'))
    .description('makes an authority, and a certificate of it for each part')
    .action(async (given: Options) => {
      const { Authority } = await import('./certificate-maker.js');
      requireHosts(given.host);
      refuseOverwriting(given.out);
      mkdirSync(given.out, { recursive: true, mode: 0o700 });
      const { authority, issued } = await Authority.create();
      writePair(given.out, 'ca', issued, createFile);
      for (const role of roles) {
        writePair(given.out, role, await authority.issue(role, given.host), createFile);
      }
      process.stdout.write(whatNext(given.out));
    });
  options(certs.command('renew'))
    .description('makes new certificates for the parts, of the authority that is there')
    .action(async (given: Options) => {
      const { Authority } = await import('./certificate-maker.js');
      requireHosts(given.host);
      const authority = await readAuthority(given.out, Authority.from);
      for (const role of roles) {
        const issued = await authority.issue(role, given.host);
        writePair(given.out, `${role}.new`, issued, writeSynced);
        for (const kind of ['key', 'crt']) {
          renameSync(join(given.out, `${role}.new.${kind}`), join(given.out, `${role}.${kind}`));
        }
      }
      syncFolder(given.out);
      process.stdout.write(whatNext(given.out));
    });
}

function requireHosts(hosts: readonly string[]): void {
  for (const host of hosts) {
    const isName =
      /^(?=.{1,253}$)(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+$/.test(host);
    if (isName || isIP(host) !== 0) continue;
    const text = `--host ${JSON.stringify(host)} is neither a host name nor an IP address`;
    throw new ScriptdError('BAD_HOST', `${text}: leave out the scheme and the port`);
  }
}

function refuseOverwriting(folder: string): void {
  const there = ['ca', ...roles]
    .flatMap((name) => [`${name}.crt`, `${name}.key`])
    .filter((file) => existsSync(join(folder, file)));
  if (there.length === 0) return;
  // Without both, what an `init` that was broken off left is of no use.
  const cure =
    there.includes('ca.crt') && there.includes('ca.key')
      ? `renew them, and make what is missing, with scriptd certs renew --out ${folder}`
      : 'remove these files if a scriptd certs init that was broken off left them';
  const text = `${folder} has ${there.join(', ')} already: choose an empty folder, or ${cure}`;
  throw new ScriptdError('CERTS_EXIST', text);
}

async function readAuthority<T>(folder: string, from: (issued: Issued) => Promise<T>): Promise<T> {
  try {
    return await from({
      certificate: readFileSync(join(folder, 'ca.crt'), 'utf8'),
      key: readFileSync(join(folder, 'ca.key'), 'utf8'),
    });
  } catch (cause) {
    const text = `there is no authority to be read in ${folder}: ${errorMessage(cause)}`;
    throw new ScriptdError(
      'NO_AUTHORITY',
      `${text}; make one with scriptd certs init in an empty folder`,
      { cause },
    );
  }
}

/** For their owner alone, certificates too: nobody else has a use for them. */
function writePair(
  folder: string,
  name: string,
  issued: Issued,
  write: (path: string, text: string) => void,
): void {
  write(join(folder, `${name}.key`), issued.key);
  write(join(folder, `${name}.crt`), issued.certificate);
}

function whatNext(folder: string): string {
  const files = roles.map(
    (role) => `  ${role}:${' '.repeat(12 - role.length)}ca.crt, ${role}.crt, ${role}.key`,
  );
  return [
    `Certificates are in ${folder}. Copy to each host what its parts need, and nothing else:`,
    ...files,
    'and the wire token to all of them (DATA-DIR/wire-token of the controller). Then start, e.g.',
    '  scriptd worker --tls-ca ca.crt --tls-cert worker.crt --tls-key worker.key \\',
    '    --wire-token-file wire-token --join tcp://CONTROLLER:5005',
    'Keep ca.key where no part runs: who has it can be any part.',
    '',
  ].join('\n');
}
