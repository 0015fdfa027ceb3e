import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
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
      writePair(given.out, 'ca', issued, 'wx');
      for (const role of roles) {
        writePair(given.out, role, await authority.issue(role, given.host), 'wx');
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
        writePair(given.out, `${role}.new`, issued, 'w');
        for (const kind of ['key', 'crt']) {
          renameSync(join(given.out, `${role}.new.${kind}`), join(given.out, `${role}.${kind}`));
        }
      }
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
  throw new ScriptdError(
    'CERTS_EXIST',
    `${folder} has ${there.join(', ')} already: choose an empty folder, or renew them with ` +
      `scriptd certs renew --out ${folder}`,
  );
}

async function readAuthority<T>(folder: string, from: (issued: Issued) => Promise<T>): Promise<T> {
  try {
    return await from({
      certificate: readFileSync(join(folder, 'ca.crt'), 'utf8'),
      key: readFileSync(join(folder, 'ca.key'), 'utf8'),
    });
  } catch (cause) {
    const text = `there is no authority to be read in ${folder}: ${errorMessage(cause)}`;
    throw new ScriptdError('NO_AUTHORITY', `${text}; make one with scriptd certs init`, { cause });
  }
}

/** For their owner alone, certificates too: nobody else has a use for them. */
function writePair(folder: string, name: string, issued: Issued, flag: 'w' | 'wx'): void {
  const options = { flag, mode: 0o600 };
  writeFileSync(join(folder, `${name}.key`), issued.key, options);
  writeFileSync(join(folder, `${name}.crt`), issued.certificate, options);
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
