import fc from 'fast-check';
import t from 'tap';
import { decodeCode, formDecode } from '../../src/http/twice-encoded.js';
import { quotePlus } from './quote-plus.js';

const text = fc.string({ unit: 'binary', maxLength: 200 });

function decoded(query: string): string | undefined {
  const result = decodeCode(query);
  return result.ok ? result.text : undefined;
}

t.test('code that was encoded twice comes back, whatever it is', async (t) => {
  fc.assert(fc.property(text, (code) => decoded(quotePlus(quotePlus(code))) === code));
  t.pass('held for every example');
});

t.test('code encoded once comes back if it has a character outside the alphabet', async (t) => {
  const outside = fc.constantFrom(
    ' ',
    '(',
    ')',
    '\n',
    '"',
    "'",
    '=',
    'é',
    '漢',
    '😀',
    '%',
    '%%',
    '%4',
  );
  const codes = fc.tuple(text, outside, text).map((parts) => parts.join('\n'));
  fc.assert(fc.property(codes, (code) => decoded(quotePlus(code)) === code));
  t.pass('held for every example');
});

t.test('both encodings of the same code give that code', async (t) => {
  t.equal(decoded('print%281%2B1%29'), 'print(1+1)');
  t.equal(decoded('print%25281%252B1%2529'), 'print(1+1)');
});

t.test('code outside the alphabet is not decoded again', async (t) => {
  t.equal(decoded(quotePlus('print("%41+%42")')), 'print("%41+%42")');
  t.equal(decoded('a%25'), 'a%', 'a percent sign that begins nothing');
  t.equal(decoded('a%254'), 'a%4', 'half an escape');
  t.equal(decoded('a%25zz'), 'a%zz', 'an escape that is none');
});

t.test('what would not be UTF-8 when decoded again is taken as it is', async (t) => {
  t.equal(decoded('%25ff%25fe'), '%ff%fe');
});

t.test('raw bytes above ASCII are UTF-8, and refused when they are not', async (t) => {
  t.same(formDecode(Buffer.from('é漢', 'utf8').toString('latin1')), { ok: true, text: 'é漢' });
  t.same(formDecode('\xe9'), { ok: false, fault: 'not valid UTF-8' });
  t.same(formDecode('%C3'), { ok: false, fault: 'not valid UTF-8' });
  t.same(formDecode('%ED%A0%80'), { ok: false, fault: 'not valid UTF-8' }, 'half a surrogate');
});

t.test('a malformed escape is refused wherever it stands', async (t) => {
  for (const query of ['%', '%4', '%4g', 'a%g4', '%%41', '%-1', '%+1', '%1:', '%@1']) {
    t.same(decodeCode(query), { ok: false, fault: 'malformed percent-encoding' }, query);
  }
});

t.test('an empty text decodes to an empty text', async (t) => {
  t.equal(decoded(''), '');
});

t.test('a byte-order mark stays', async (t) => {
  t.equal(decoded('%EF%BB%BFprint(1)'), '\ufeffprint(1)');
});
