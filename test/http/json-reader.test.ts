import fc from 'fast-check';
import t from 'tap';
import { readJson } from '../../src/http/json-reader.js';
import type { Problem } from '../../src/http/problem.js';

const read = (text: string | Buffer) => readJson(Buffer.from(text), 'the body');

function refusal(text: string | Buffer): Problem {
  try {
    read(text);
  } catch (error) {
    return error as Problem;
  }
  throw new Error(`it was taken: ${text}`);
}

t.test('what is JSON is read as JSON', async () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      if (text.includes('__proto__')) return true;
      return JSON.stringify(read(text)) === JSON.stringify(JSON.parse(text));
    }),
    { numRuns: 200 },
  );
});

t.test('any bytes are read or refused with a code of the API', async () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"a"',
    ':',
    ',',
    '1',
    '-',
    '1e',
    '\\',
    '"',
    ' ',
  );
  const text = fc.array(piece, { maxLength: 20 }).map((pieces) => Buffer.from(pieces.join('')));
  const bytes = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(text, bytes), (json) => {
      try {
        return JSON.stringify(read(json)) === JSON.stringify(JSON.parse(json.toString()));
      } catch (error) {
        return (error as Problem).status === 400;
      }
    }),
    { numRuns: 3_000 },
  );
});

t.test('a name that stands twice in one object is refused by its path', async (t) => {
  const cases: [string, string][] = [
    ['{"code":"1","code":"2"}', 'code'],
    ['{"code":"1","\\u0063ode":"2"}', 'code'],
    ['{"limits":{"wallMs":1,"cpuMs":2, "wallMs" : 3}}', 'limits.wallMs'],
    ['{"a":[{"b":1},{"b":1,"c":{},"b":2}]}', 'a.1.b'],
    ['{"files":{"a.txt":"1","a.txt":"2"}}', 'files.a.txt'],
    ['{"":1,"":2}', ''],
    ['{"é":1,"\\u00e9":2}', 'é'],
  ];
  for (const [text, field] of cases) {
    t.match(refusal(text), { code: 'INVALID_JSON', members: { field } }, text);
    t.match(refusal(text).detail, /more than once/, text);
  }
  const once = [
    '{"a":{"a":1},"b":{"a":1}}',
    '{"a":"a","b":"a"}',
    '[{"a":1},{"a":1}]',
    '{"a\\"":1,"a":2}',
  ];
  for (const text of once) t.same(read(text), JSON.parse(text), text);
});

t.test('a name is refused wherever it is repeated', async () => {
  const name = fc.string({ minLength: 1, maxLength: 5 }).filter((name) => name !== '__proto__');
  fc.assert(
    fc.property(fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 }), (value) => {
      const [first = ''] = Object.keys(value);
      // Not by `replace`, for which a `$` in the name stands for something.
      const text = `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(first)}:0}`;
      return refusal(text).code === 'INVALID_JSON';
    }),
  );
});

t.test('a number that cannot be kept is refused by its path', async (t) => {
  for (const number of [
    '1e400',
    '-1e400',
    '9007199254740993',
    '-9007199254740993',
    '9'.repeat(400),
  ]) {
    t.match(refusal(`{"a":{"b":[0,${number}]}}`), {
      code: 'INVALID_FIELD',
      detail: /too large/,
      members: { field: 'a.b.1' },
    });
  }
  t.ok(refusal('9'.repeat(1_000_000)).detail.length < 200, 'it is not shown at length');
  for (const number of [
    '9007199254740991',
    '100000000000000000000',
    '1e300',
    '-0',
    '0.1',
    '1e-400',
  ]) {
    t.equal(read(number), Number(number), number);
  }
});

t.test('names that lead to a prototype are refused, others are ordinary', async (t) => {
  for (const text of [
    '{"__proto__":1}',
    '{"a":[{"\\u005f_proto__":{}}]}',
    '{"constructor":{"prototype":1}}',
  ]) {
    t.match(refusal(text), { code: 'INVALID_JSON', detail: /not taken/ }, text);
  }
  for (const text of [
    '{"constructor":"x"}',
    '{"prototype":1}',
    '{"constructor":{"a":{"prototype":1}}}',
  ]) {
    t.same(read(text), JSON.parse(text), text);
  }
});

t.test('what is no JSON says so', async (t) => {
  const cases: [string | Buffer, string, RegExp][] = [
    ['', 'INVALID_JSON', /empty/],
    ['\ufeff{}', 'INVALID_JSON', /byte order mark/],
    [Buffer.from('{"a":1}', 'utf16le'), 'INVALID_JSON', /not valid JSON/],
    [Buffer.from([0xff, 0xfe, 0x7b]), 'INVALID_UTF8', /UTF-8/],
    [Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'INVALID_UTF8', /UTF-8/],
    ['{"a":1}x', 'INVALID_JSON', /not valid JSON/],
    ["{'a':1}", 'INVALID_JSON', /not valid JSON/],
    ['{"a":01}', 'INVALID_JSON', /not valid JSON/],
    ['NaN', 'INVALID_JSON', /not valid JSON/],
    ['"a\nb"', 'INVALID_JSON', /not valid JSON/],
    ['['.repeat(100_000), 'INVALID_JSON', /nested deeper/],
    [`[${'1,'.repeat(100_000)}1]`, 'INVALID_JSON', /more than/],
  ];
  for (const [text, code, detail] of cases) t.match(refusal(text), { code, detail, status: 400 });
});
