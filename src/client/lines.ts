import { ScriptdError } from '../errors.js';
import { clientLimits } from './limits.js';
import { unreachable } from './requests.js';

/**
 * The lines of a body in UTF-8, without their ends, as they come. A last line without an end is not
 * one: it was cut off.
 *
 * @throws ScriptdError SERVICE_SILENT when nothing comes for `silenceMs`, SERVICE_UNREACHABLE when
 *   the connection breaks, BAD_ANSWER for a line without end
 */
export async function* linesOf(
  { body, url }: Pick<Response, 'body' | 'url'>,
  silenceMs: number = clientLimits.silenceMsMax,
): AsyncGenerator<string> {
  if (!body) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  /** Of the line that has no end yet. */
  let parts: string[] = [];
  let chars = 0;
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silenceMs, url);
      if (done) return;
      const pieces = decoder.decode(value, { stream: true }).split('\n');
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) {
          yield parts.join('').replace(/\r$/, '');
          parts = [];
          chars = 0;
        }
        parts.push(piece);
        chars += piece.length;
      }
      if (chars > clientLimits.lineCharsMax) {
        const text = `a line of the answer is longer than ${clientLimits.lineCharsMax} characters`;
        throw new ScriptdError('BAD_ANSWER', text);
      }
    }
  } catch (error) {
    throw error instanceof TypeError ? unreachable(url, error) : error;
  } finally {
    // Of a connection that is broken it says so again.
    await reader.cancel().catch(() => undefined);
  }
}

async function within<T>(promise: Promise<T>, ms: number, url: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ScriptdError('SERVICE_SILENT', `${url} has said nothing for ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}
