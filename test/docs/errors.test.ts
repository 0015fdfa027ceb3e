import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { createProgram } from '../../src/cli/program.js';
import { flagName, settingNames, settings, variableName } from '../../src/config/settings.js';
import { problemKinds } from '../../src/http/problem.js';
import { packageRoot } from '../../src/native.js';
import { codes, outcomes } from '../../src/verdict.js';
import { encodeFrame } from '../../src/wire/codec.js';
import type { Message } from '../../src/wire/messages.js';

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');

/** The text under a heading, up to the next of the same depth or less. */
function section(text: string, heading: string): string {
  const [marks = ''] = /^#+/.exec(heading) ?? [];
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`there is no heading ${heading}`);
  const rest = text.slice(start + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${marks.length}} `, 'm'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** Rows of the table whose first column is called `title`, as cells without their backquotes. */
function rows(text: string, title: string): string[][] {
  const lines = text.split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${title} |`));
  if (head < 0) throw new Error(`there is no table of ${title}`);
  const after = lines.slice(head + 2);
  const end = after.findIndex((line) => !line.startsWith('|'));
  return after.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** What may stand in a setting, as OPERATIONS.md writes it: both ends of a range, or each choice. */
function boundsOf(schema: object): string[] {
  const {
    minimum,
    maximum,
    enum: choices,
  } = schema as { minimum?: number; maximum?: number; enum?: unknown[] };
  const hasEnd = maximum !== Number.MAX_SAFE_INTEGER;
  const bounds = [minimum, hasEnd && maximum, ...(choices ?? [])];
  return bounds.filter((bound) => bound !== undefined && bound !== false).map(String);
}

/** The words and numbers of a cell, without what parts them: `5,000 ms` has 5000. */
function words(cell = ''): string[] {
  return cell.replace(/(\d),(?=\d{3})/g, '$1').split(/[\s,;]+/);
}

const hasFiles = (path: string) => existsSync(path) && readdirSync(path).length > 0;
const firstCells = (table: string[][]) => table.map(([first]) => first).sort();
const errors = read('docs/ERRORS.md');

t.test('ERRORS.md has a row for each task outcome, and for nothing else', async (t) => {
  const documented = firstCells(rows(section(errors, '## Task outcomes'), 'outcome'));
  t.same(documented, [...outcomes].sort());
});

t.test('ERRORS.md has a row for each task code, and for nothing else', async (t) => {
  const table = rows(section(errors, '## Task codes'), 'code');
  t.same(firstCells(table), [...codes].sort());
  for (const [code, outcome] of table) {
    t.ok((outcomes as readonly (string | undefined)[]).includes(outcome), `${code}: ${outcome}`);
  }
});

t.test(
  'ERRORS.md has a row for each HTTP problem, with its status, and for nothing else',
  async (t) => {
    const table = rows(section(errors, '## HTTP problem codes'), 'code');
    const documented = Object.fromEntries(table.map(([code, status]) => [code, Number(status)]));
    const known = Object.entries(problemKinds).map(([code, { status }]) => [code, status]);
    t.equal(table.length, known.length, 'no code has two rows');
    t.same(documented, Object.fromEntries(known));
  },
);

t.test('ERRORS.md has the exit code of each error that ends a start for good', async (t) => {
  const source = read('src/cli/exit-codes.ts');
  const numbers = Object.fromEntries(
    [...source.matchAll(/^ {2}(\w+): (\d+),$/gm)].map(([, name, number]) => [name, number]),
  );
  const lasting = [...source.matchAll(/^ {2}([A-Z_]+): exitCodes\.(\w+),$/gm)];
  t.ok(lasting.length > 0, 'they are found in the source');
  const known = lasting.map(([, code, name = '']) => [code, numbers[name]]);
  const table = rows(section(errors, '## Start-up errors and exit codes'), 'start-up code');
  const documented = table.map(([code, exitCode]) => [code, exitCode]);
  t.same(Object.fromEntries(documented), Object.fromEntries(known));
});

/** Never told to anybody outside: a part of ours reacts to them, or names of errno. */
const inner = ['CLOSED', 'FORGOTTEN', 'REMOVAL_GAVE_UP', 'STORE_CLOSED', 'ECHILD', 'EINVAL'];

t.test('every code that is thrown has a row in ERRORS.md', async (t) => {
  const files = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' });
  const thrown = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...read(join('src', file)).matchAll(/ScriptdError\(\s*'([A-Z_]+)'/g)])
    .map(([, code = '']) => code);
  t.ok(thrown.length > 50, 'they are found in the source');
  const missing = new Set(thrown.filter((code) => !errors.includes(`\n| \`${code}\` |`)));
  t.same([...missing].sort(), [...inner].sort());
});

t.test('PROTOCOL.md has a section for each kind of message', async (t) => {
  const source = read('src/wire/messages.ts');
  const kinds = [...source.matchAll(/^ {2}\w+: message\('(\w+)'/gm)].map(([, kind]) => kind);
  t.ok(kinds.length > 0, 'they are found in the source');
  const protocol = read('docs/PROTOCOL.md');
  for (const kind of kinds) t.ok(protocol.includes(`\n### ${kind}\n`), `kind ${kind}`);
});

t.test('the example frames of PROTOCOL.md are what the encoder writes', async (t) => {
  const taskId = '01890a5d-ac96-774b-bcce-b302099a8057';
  const messages: Message[] = [
    { kind: 'ping', sequence: 1 },
    { kind: 'cancel', taskId, attempt: 2, cause: 'caller' },
  ];
  const text = section(read('docs/PROTOCOL.md'), '## Examples');
  const hex = [...text.matchAll(/^ {4,}((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2,}|$)/gm)];
  const frames = messages.map((message) => encodeFrame(message).toString('hex'));
  t.equal(hex.map(([, bytes = '']) => bytes.replaceAll(' ', '')).join(''), frames.join(''));
});

t.test('ARCHITECTURE.md gives the import directions that lint checks', async (t) => {
  interface Rule {
    name: string;
    to: { pathNot?: string[] };
  }
  const require = createRequire(import.meta.url);
  const { forbidden } = require(join(packageRoot, '.dependency-cruiser.cjs')) as {
    forbidden: Rule[];
  };
  const checked = new Map<string, string[]>();
  for (const { name, to } of forbidden) {
    const folder = /^(\w+)-imports$/.exec(name)?.[1];
    if (folder === undefined || !hasFiles(join(packageRoot, 'src', folder))) continue;
    const targets = (to.pathNot ?? []).flatMap((path) => /^\^src\/(\w+)\/$/.exec(path)?.[1] ?? []);
    checked.set(folder, targets.filter((target) => target !== folder).sort());
  }
  const heading = '## Source folders and import directions';
  const table = rows(section(read('docs/ARCHITECTURE.md'), heading), 'folder');
  const documented = new Map<string, string[]>();
  for (const [folder = '', targets = ''] of table) {
    const name = /^src\/(\w+)$/.exec(folder)?.[1];
    if (name === undefined || name === 'cli') continue;
    const names = targets.replaceAll(' (types)', '').split(', ');
    documented.set(name, names.filter((target) => target !== '-').sort());
  }
  t.same(Object.fromEntries(documented), Object.fromEntries(checked));
});

t.test('OPERATIONS.md has a row for each setting, with its flag and its variable', async (t) => {
  const table = rows(section(read('docs/OPERATIONS.md'), '## Settings'), 'key in scriptd.yaml');
  t.same(firstCells(table), [...settingNames].sort());
  for (const name of settingNames) {
    const row = table.find(([first]) => first === name);
    const fileOnly = settings[name].notation === 'none';
    t.equal(row?.[1], fileOnly ? '-' : flagName(name), `flag of ${name}`);
    t.equal(row?.[2], fileOnly ? '-' : variableName(name), `variable of ${name}`);
    const standard: unknown = settings[name].default;
    const isTold = typeof standard !== 'function' && standard !== '';
    if (isTold) t.equal(words(row?.[3])[0], String(standard), `default of ${name}`);
    for (const bound of boundsOf(settings[name].schema)) {
      t.ok(words(row?.[4]).includes(bound), `range of ${name}: ${bound}`);
    }
  }
});

t.test('OPERATIONS.md says which part takes a setting', async (t) => {
  const table = rows(section(read('docs/OPERATIONS.md'), '## Settings'), 'key in scriptd.yaml');
  const parts = ['up', 'controller', 'worker', 'http'];
  const { commands } = createProgram();
  for (const name of settingNames) {
    if (settings[name].notation === 'none') continue;
    const takers = commands.filter(({ options }) =>
      options.some(({ long }) => long === flagName(name)),
    );
    const told = table.find(([first]) => first === name)?.[5] ?? '';
    const named = told === 'all' ? parts : told.split(', ').filter((part) => parts.includes(part));
    const taking = takers.map((command) => command.name()).filter((part) => parts.includes(part));
    t.same(named.sort(), taking.sort(), `commands of ${name}`);
  }
});

t.test('README.md gives the two commands, each on its own line', async (t) => {
  const lines = read('README.md').split('\n');
  t.ok(lines.includes('npm ci && npm start'), 'start');
  t.ok(lines.includes('npm ci && npm test'), 'test');
});
