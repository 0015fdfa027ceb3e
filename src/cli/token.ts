import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.js';
import { ScriptdError } from '../errors.js';
import {
  type AskedToken,
  addToken,
  newToken,
  plainCount,
  recordsOf,
  removeToken,
  type ShownToken,
  shown,
} from '../http/token-changes.js';
import { editTokenFile } from '../http/token-edit.js';
import { parseTokenFile, readTokenFile } from '../http/token-file.js';
import { recordFault, type TokenRecord } from '../http/token-record.js';
import { makeTokenId, tokenDigest } from '../http/token-text.js';
import { configFileOf } from './config.js';
import { spanMs } from './since.js';

interface Common {
  tokenFile?: string;
  json?: boolean;
}

interface CreateOptions extends Common {
  name: string;
  scopes: string[];
  group?: string;
  expires?: string;
  rate?: number;
  burst?: number;
}

export function addTokenCommand(program: Command): void {
  const token = program
    .command('token')
    .description('tokens that clients show to the service: makes, lists and revokes them');
  const common = (command: Command) =>
    command
      .option('--token-file <file>', 'file of the tokens [SCRIPTD_TOKEN_FILE]')
      .option('--config <file>', 'configuration file that names it [SCRIPTD_CONFIG]')
      .option('--json', 'as JSON');

  common(token.command('create'))
    .description('makes a token and prints it, once: only its digest is kept')
    .requiredOption('--name <name>', 'whose it is or what for: letters, digits and ._@-')
    .option('--scopes <scope,...>', 'submit, read, admin', list, ['submit', 'read'])
    .option('--group <group>', 'binds it to the tasks of this group')
    .option('--expires <when>', 'a time (RFC 3339), or how long it is valid: 12h, 90d')
    .option('--rate <number>', 'requests per second that it may make', number)
    .option('--burst <number>', 'requests at once; default: those of a second', number)
    .action((given: CreateOptions, command: Command) => create(given, tokenFileOf(command)));
  common(token.command('list'))
    .description('the tokens of the file, without the tokens themselves')
    .action(({ json }: Common, command: Command) => show(tokenFileOf(command), json === true));
  common(token.command('revoke'))
    .description('takes a token out of the file; running daemons refuse it within seconds')
    .argument('<token>', 'its id or its name')
    .action(async (which: string, { json }: Common, command: Command) => {
      print(await revoke(which, tokenFileOf(command)), json === true, 'revoked');
    });
  common(token.command('migrate'))
    .description('keeps the digests of tokens that stand in plain text; clients notice nothing')
    .action(({ json }: Common, command: Command) => migrate(tokenFileOf(command), json === true));
}

/** The token alone on stdout, so that `> file` keeps it; what is said of it on stderr. */
async function create(given: CreateOptions, path: string): Promise<void> {
  const { token, record } = newToken(askedOf(given, Date.now()), Date.now());
  const fault = recordFault(record);
  if (fault) throw bad(fault.message);
  await addToken(path, record);
  if (given.json) print({ ...shown(record), token }, true, '');
  else {
    process.stderr.write(`${line(record)}\nIt is shown only now; ${path} keeps its digest:\n`);
    process.stdout.write(`${token}\n`);
  }
}

/** @throws ScriptdError BAD_TOKEN */
function askedOf(given: CreateOptions, nowMs: number): AskedToken {
  const { name, group, rate, burst, expires } = given;
  if (burst !== undefined && rate === undefined) throw bad('--burst goes with --rate: give both');
  return {
    name,
    // Whether they are any, the record's own check says.
    scopes: given.scopes as AskedToken['scopes'],
    ...(group !== undefined && { group }),
    ...(rate !== undefined && {
      rate: { perSecond: rate, burst: burst ?? Math.max(1, Math.ceil(rate)) },
    }),
    ...(expires !== undefined && { expiresAt: expiry(expires, nowMs) }),
  };
}

/** @throws ScriptdError BAD_TOKEN */
function expiry(text: string, nowMs: number): string {
  const span = spanMs(text);
  if (span === undefined) {
    // Whether it is a time, the record's own check says.
    if (Date.parse(text) <= nowMs) throw bad(`--expires ${text} has passed: give a later time`);
    return text;
  }
  const at = new Date(nowMs + span);
  if (span > 0 && at.getTime() < Date.UTC(9999, 0)) return at.toISOString();
  throw bad(`--expires ${text} is not between a second and some centuries: write 12h, or 90d`);
}

function show(path: string, json: boolean): void {
  const lines = parseTokenFile(path, readTokenFile(path));
  const tokens = recordsOf(lines).map(shown);
  const plain = plainCount(lines);
  if (json) {
    print({ tokens, plain }, true, '');
    return;
  }
  for (const token of tokens) process.stdout.write(`${line(token)}\n`);
  if (plain > 0) {
    process.stdout.write(`${plain} in plain text, with every right: scriptd token migrate\n`);
  }
}

async function revoke(which: string, path: string): Promise<ShownToken> {
  // A name may be the id of another.
  const find = (all: readonly TokenRecord[]) =>
    all.find(({ id }) => id === which) ?? all.find(({ name }) => name === which);
  return shown((await removeToken(path, find, which)).removed);
}

async function migrate(path: string, json: boolean): Promise<void> {
  const migrated: ShownToken[] = [];
  const createdAt = new Date().toISOString();
  await editTokenFile(path, (lines) => {
    const names = new Set(recordsOf(lines).map(({ name }) => name));
    return lines.map((line) => {
      if (line.kind !== 'plain') return line.text;
      let number = migrated.length + 1;
      while (names.has(`plain-${number}`)) number++;
      const name = `plain-${number}`;
      names.add(name);
      const token = { id: makeTokenId(), name, scopes: ['admin' as const], createdAt };
      migrated.push(token);
      return JSON.stringify({ ...token, sha256: tokenDigest(line.token) });
    });
  });
  if (json) print({ tokens: migrated }, true, '');
  else if (migrated.length === 0) process.stdout.write('there is none in plain text\n');
  for (const token of json ? [] : migrated) print(token, false, 'migrated');
}

function print(value: object, json: boolean, verb: string): void {
  const text = json ? JSON.stringify(value, undefined, 2) : `${verb} ${line(value as ShownToken)}`;
  process.stdout.write(`${text}\n`);
}

function line({ id, name, scopes, group, rate, expiresAt }: ShownToken): string {
  const parts = [id, name, scopes.join(',')];
  // Whatever it is called, a terminal is shown no control characters.
  if (group !== undefined) parts.push(`group ${JSON.stringify(group).replace(/\p{C}/gu, '?')}`);
  if (rate) parts.push(`${rate.perSecond}/s, ${rate.burst} at once`);
  const isOver = expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();
  if (expiresAt !== undefined) parts.push(`${isOver ? 'expired' : 'expires'} ${expiresAt}`);
  return parts.join('  ');
}

/** @throws ScriptdError BAD_CONFIG */
function tokenFileOf(command: Command): string {
  const { tokenFile } = command.opts<Common>();
  // Its other options are no settings, though one is called `name`.
  const flags = tokenFile === undefined ? {} : { tokenFile };
  const found = loadConfig({ flags, env: process.env, file: configFileOf(command) }).tokenFile;
  if (found !== '') return found;
  const cure = 'give --token-file, or tokenFile in scriptd.yaml, as the daemon has it';
  throw new ScriptdError('BAD_CONFIG', `no file of tokens is named: ${cure}`);
}

function list(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}

function number(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number.');
}

function bad(fault: string): ScriptdError {
  return new ScriptdError('BAD_TOKEN', fault);
}
