import { posix } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { collectFault, exceptionReportName, filesFault, spaceOf } from '../src/file-names.js';
import { limits } from '../src/limits.js';

const empty = new Uint8Array();
const faultOf = (...names: string[]) => filesFault(names.map((name) => ({ name, content: empty })));

const ordinary = [
  'a',
  'data/in.json',
  '.hidden',
  '...',
  '..a/b..',
  'a b\n*?[x]',
  'größe/漢字/😀',
  '__proto__',
  'constructor',
  'script_helper.py',
  'lib/script.py',
  'scripts/x',
  `lib/${exceptionReportName}`,
  'x'.repeat(limits.fileNameComponentBytesMax),
  Array(limits.fileDepthMax).fill('d').join('/'),
];

t.test('ordinary names are taken, alone and together', async (t) => {
  for (const name of ordinary) t.equal(faultOf(name), undefined, name);
  t.equal(faultOf(...ordinary), undefined);
});

t.test('a name that cannot be is refused, with the cure', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /empty name/],
    ['/', /absolute/],
    ['/etc/passwd', /absolute: leave out the \//],
    ['..', /component `..`/],
    ['../x', /component `..`/],
    ['a/../x', /component `..`/],
    ['.', /component `.`/],
    ['./x', /component `.`/],
    ['a//b', /empty component/],
    ['a/', /empty component/],
    ['a\0b', /NUL/],
    ['..\\x', /backslash.*separated by \//],
    ['\ud800', /surrogate/],
    ['é'.repeat(128), /component of more than 255 bytes/],
    [Array(10).fill('x'.repeat(200)).join('/'), /more than 1024 bytes/],
    [
      Array(limits.fileDepthMax + 1)
        .fill('d')
        .join('/'),
      /nested deeper than 32/,
    ],
    ['script', /kept for the script itself/],
    ['script.py', /kept for the script itself/],
    ['script/x', /kept for the script itself/],
    [exceptionReportName, /keeps for itself/],
  ];
  for (const [name, message] of cases) {
    t.match(faultOf('fine', name), { message }, JSON.stringify(name));
  }
  t.match(faultOf('a/b', 'a'), { field: 'files.a/b', message: /lies in "a"/ });
  t.match(faultOf(...Array.from({ length: limits.filesMax + 1 }, String)), { field: 'files' });
});

/** Texts that are likely to be a way out. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('..', '.', '', '/', '\\', '\0', 'a', 'script.py', '...', '\ud800', '~'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 8 },
  )
  .chain((parts) => fc.constantFrom('/', '').map((between) => parts.join(between)));

t.test('whatever is taken stays below the work directory, and survives the way there', async () => {
  fc.assert(
    fc.property(hostile, (name) => {
      if (faultOf(name)) return true;
      const path = posix.resolve('/work', name);
      return (
        path === `/work/${name}` && !/[\0\\]/.test(name) && Buffer.from(name).toString() === name
      );
    }),
    { numRuns: 5_000 },
  );
});

t.test('of names that are taken together none is a folder of another', async () => {
  const component = fc.constantFrom('a', 'b', 'ab');
  const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((all) => all.join('/'));
  fc.assert(
    fc.property(fc.array(path, { maxLength: 6 }), (names) => {
      const clash = names.some((name, index) =>
        names.some((other, at) => at !== index && `${other}/`.startsWith(`${name}/`)),
      );
      return clash === (faultOf(...names) !== undefined);
    }),
  );
});

t.test('patterns are held to the same rules, but for the name of the script', async (t) => {
  const asked = (...patterns: string[]) => collectFault(patterns);
  t.equal(asked('out/**', '*.json', 'a?/*', '.*', 'script.py', 'a'), undefined);
  for (const pattern of ['../*', '/tmp/*', 'a/../*', '', 'a//b', 'a\\*', '\0', './*']) {
    t.match(asked('fine', pattern), { field: 'collect.1' }, JSON.stringify(pattern));
  }
  t.match(asked(exceptionReportName), { message: /keeps for itself/ });
  const deep = Array(limits.fileDepthMax).fill('*').join('/');
  const many = limits.collectComponentsMax / limits.fileDepthMax;
  t.equal(asked(...Array(many).fill(deep)), undefined);
  t.match(asked(...Array(many).fill(deep), '*'), { field: 'collect', message: /513 components/ });
});

t.test('space is counted in whole pages, and folders once', async (t) => {
  const file = (name: string, size: number) => ({ name, content: new Uint8Array(size) });
  const files = [file('a/b/c', 1), file('a/b/d', 4096), file('e', 0)];
  t.same(spaceOf(files, 4097), { bytes: 4 * 4096, files: 3 + 2 + 2 });
});
