import { httpLimits } from './limits.js';

/**
 * A look at JSON before it is parsed: no deeper nested and no more values than any body of this API
 * has. A body that consists of nothing but brackets keeps a parser, and so everybody, waiting for
 * seconds; this takes one pass. What is not JSON is left to the parser to find.
 *
 * @returns why it cannot be a body of this API, or undefined
 */
export function shapeFault(json: Uint8Array): string | undefined {
  const { jsonDepthMax, jsonValuesMax } = httpLimits;
  let depth = 0;
  let values = 1;
  let isText = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (isText) {
      if (byte === backslash) index++;
      else if (byte === quote) isText = false;
    } else if (byte === quote) {
      isText = true;
    } else if (byte === openBracket || byte === openBrace) {
      values++;
      if (++depth > jsonDepthMax) return `it is nested deeper than ${jsonDepthMax}`;
    } else if (byte === closeBracket || byte === closeBrace) {
      depth--;
    } else if (byte === comma && ++values > jsonValuesMax) {
      return `it holds more than ${jsonValuesMax} values`;
    }
  }
  return undefined;
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];
