import t from 'tap';
import { makeToken, makeTokenId, tokenDigest, tokenKind } from '../../src/http/token-text.js';

t.test('a token has the shape that programs which look for secrets know', async (t) => {
  const tokens = Array.from({ length: 200 }, makeToken);
  for (const token of tokens) {
    t.match(token, /^scriptd_[0-9A-Za-z]{49}$/);
    t.equal(tokenKind(token), 'made');
  }
  t.equal(new Set(tokens).size, tokens.length, 'no two are the same');
  t.match(makeTokenId(), /^[0-9A-Za-z]{8}$/);
});

t.test('one wrong character, or a missing end, shows', async (t) => {
  const token = makeToken();
  for (let place = 'scriptd_'.length; place < token.length; place++) {
    const other = token[place] === 'a' ? 'b' : 'a';
    const changed = token.slice(0, place) + other + token.slice(place + 1);
    t.equal(tokenKind(changed), 'broken', changed);
    t.equal(tokenKind(token.slice(0, place)), 'broken');
  }
  t.equal(tokenKind(`${token}a`), 'broken');
  t.equal(tokenKind('0123456789abcdef'), 'other');
  t.equal(tokenKind(token.toUpperCase()), 'other');
});

t.test('the checksum is CRC-32 in base 62, whoever computes it', async (t) => {
  // Of 43 zeros: 0x7849568f, by zlib.crc32 of Python.
  t.equal(tokenKind(`scriptd_${'0'.repeat(43)}2CZclj`), 'made');
});

t.test('the digest is SHA-256', async (t) => {
  // FIPS 180-2, B.1
  t.equal(tokenDigest('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
