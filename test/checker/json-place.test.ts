import * as fc from 'fast-check';
import t from 'tap';
import { jsonFaultIndex } from '../../src/checker/json-place.js';

/** What the engine says is wrong; undefined of JSON. */
function faultOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

t.test('the first character that cannot stand there', async (t) => {
  const places: [string, number][] = [
    ['', 0],
    ['  ', 2],
    ['hello', 0],
    ['{"a": 1,}', 8],
    ['[1, 2,]', 6],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['{a: 1}', 1],
    ['[1, 2', 5],
    ['{"a": "b', 6],
    ['1 2', 2],
    ['01', 1],
    ["['a']", 1],
    ['[}', 1],
    ['nul', 0],
  ];
  for (const [text, index] of places) t.equal(jsonFaultIndex(text), index, text);
});

t.test('of JSON, the index behind it', async (t) => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      t.equal(jsonFaultIndex(text), text.length);
    }),
  );
});

t.test('never behind the place that the engine names, where it names one', async (t) => {
  let named = 0;
  fc.assert(
    fc.property(
      fc.json(),
      fc.nat(),
      fc.constantFrom('x', ',', '"', '}', ']', ''),
      (text, at, more) => {
        const index = at % (text.length + 1);
        const broken =
          more === '' ? text.slice(0, index) : text.slice(0, index) + more + text.slice(index);
        const fault = faultOf(broken);
        if (fault === undefined) return;
        const position = Number(/at position (\d+)/.exec(fault)?.[1] ?? broken.length);
        if (position < broken.length) named++;
        t.ok(jsonFaultIndex(broken) <= position, `${broken}: ${fault}`);
      },
    ),
    { numRuns: 500 },
  );
  t.ok(named > 0);
});

t.test('deep nesting costs no stack', async (t) => {
  t.equal(jsonFaultIndex('['.repeat(1_000_000)), 1_000_000);
});
