import { isUtf8 } from 'node:buffer';

/** What a form-encoded text stands for, or why it stands for nothing. */
export type Decoded =
  | { ok: true; text: string }
  | { ok: false; fault: 'malformed percent-encoding' | 'not valid UTF-8' };

/**
 * Decodes by form rules: `+` is a space, `%XX` a byte, the bytes UTF-8. Characters of `text` are
 * bytes (Latin-1), as Node hands out a request's URL.
 *
 * Source: https://url.spec.whatwg.org/#urlencoded-parsing (but malformed input is refused)
 */
export function formDecode(text: string): Decoded {
  const bytes = formBytes(text);
  if (!bytes) return { ok: false, fault: 'malformed percent-encoding' };
  if (!isUtf8(bytes)) return { ok: false, fault: 'not valid UTF-8' };
  return { ok: true, text: bytes.toString('utf8') };
}

/**
 * Decodes code from a query. A client that calls Python's `quote_plus` on the code and has its HTTP
 * library encode the query encodes twice; so what is, decoded once, still entirely in quote_plus's
 * alphabet (letters, digits, `_.-~+` and valid `%XX`) is decoded once more. Anything else is taken
 * as it is, as is what would not be UTF-8. Code that was encoded once and lies in that alphabet by
 * chance (`1+1`) can't be told apart: POST /execute takes code without any encoding.
 */
export function decodeCode(text: string): Decoded {
  const once = formDecode(text);
  if (!once.ok || !isQuoted(once.text)) return once;
  const twice = formDecode(once.text);
  return twice.ok ? twice : once;
}

const plus = 0x2b;
const percent = 0x25;
const space = 0x20;

function formBytes(text: string): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === plus) {
      bytes[length++] = space;
    } else if (unit === percent) {
      const high = hexValue(text.charCodeAt(index + 1));
      const low = hexValue(text.charCodeAt(index + 2));
      if (high < 0 || low < 0) return undefined;
      bytes[length++] = high * 16 + low;
      index += 2;
    } else {
      bytes[length++] = unit;
    }
  }
  return bytes.subarray(0, length);
}

/** True when all of `text` could have been written by quote_plus. A loop: code may be megabytes. */
function isQuoted(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === percent) {
      if (hexValue(text.charCodeAt(index + 1)) < 0) return false;
      if (hexValue(text.charCodeAt(index + 2)) < 0) return false;
      index += 2;
    } else if (unit > 0x7f || plain[unit] === 0) {
      return false;
    }
  }
  return true;
}

/** 1 for each ASCII character that quote_plus leaves as it is or writes for a space. */
const plain = Uint8Array.from({ length: 128 }, (_, unit) =>
  /[A-Za-z0-9_.~+-]/.test(String.fromCharCode(unit)) ? 1 : 0,
);

/** Value of a hexadecimal digit, or -1; NaN (past the end) is none either. */
function hexValue(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
