import t from 'tap';
import { judgeExact } from '../../src/checker/exact.js';

const judge = (exact: string, output: string | Buffer, trim = false) =>
  judgeExact({ exact, trim }, Buffer.from(output));

t.test('the same text passes, byte for byte', async (t) => {
  t.strictSame(judge('a\nb\n', 'a\nb\n'), { kind: 'passed' });
  t.strictSame(judge('', ''), { kind: 'passed' });
  t.strictSame(judge('grün 🙂', 'grün 🙂'), { kind: 'passed' });
});

t.test('the first line that differs is shown, with its place', async (t) => {
  t.strictSame(judge('one\ntwo\nthree', 'one\ntoo\nthree'), {
    kind: 'mismatch',
    format: { expected: '"two"', at: 'line 2, column 2', got: '"too"' },
  });
});

t.test('what is missing and what is too much are told as the end of the output', async (t) => {
  t.strictSame(judge('one\ntwo', 'one\n'), {
    kind: 'mismatch',
    format: { expected: '"two"', at: 'line 2, column 1', got: 'the end of the output' },
  });
  t.match(judge('one', 'one\n'), {
    format: { expected: '"one" and the end of the output', at: 'line 1, column 4', got: '"one"' },
  });
  t.match(judge('x', ''), { format: { at: 'line 1, column 1', got: 'the end of the output' } });
});

t.test('trim leaves blanks at both ends out of it, and no others', async (t) => {
  t.strictSame(judge(' 42', '42\n\n', true), { kind: 'passed' });
  t.match(judge('4 2', '\n42\n', true), { kind: 'mismatch', format: { at: 'line 2, column 2' } });
  t.match(judge('42', '42\n'), { kind: 'mismatch' });
});

t.test('of a long line, what is near the difference is shown', async (t) => {
  const long = 'x'.repeat(100_000);
  const answer = judge(`${long}right`, `${long}wrong`);
  t.match(answer, { format: { at: 'line 1, column 100001', got: /^"x+wrong"/ } });
  t.ok(JSON.stringify(answer).length < 2_000);
});

t.test('output that is not UTF-8 says at which byte', async (t) => {
  t.match(judge('abc', Buffer.from([0x61, 0xc3, 0xa9, 0xff, 0x62])), {
    kind: 'mismatch',
    format: { expected: 'text in UTF-8', at: 'byte 4', got: 'the bytes ff 62' },
  });
  // A sequence that the end cuts off.
  t.match(judge('abc', Buffer.from([0x61, 0xe2, 0x82])), { format: { at: 'byte 2' } });
});

t.test('what is shown can be sent as UTF-8, wherever it is cut', async (t) => {
  for (let length = 190; length < 205; length++) {
    const answer = judge('', `${'x'.repeat(length)}🙂🙂🙂`);
    t.notMatch(JSON.stringify(answer), /\\ud[89a-f]/i);
  }
});
