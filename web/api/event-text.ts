export interface StreamEvent {
  id: string | undefined;
  event: string;
  data: string;
}

/**
 * The events of a stream as they come. One that its blank line does not end is not one.
 *
 * Source: WHATWG HTML, 9.2 Server-sent events
 */
export async function* eventsOf(body: ReadableStream<BufferSource>): AsyncGenerator<StreamEvent> {
  let lines: string[] = [];
  for await (const line of linesOf(body)) {
    if (line !== '') {
      lines.push(line);
      continue;
    }
    const found = eventOf(lines);
    lines = [];
    if (found) yield found;
  }
}

/** Without their ends. What there is of a line is not looked at again: it may come in many pieces. */
async function* linesOf(body: ReadableStream<BufferSource>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let parts: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const [first = '', ...others] = value.split('\n');
      parts.push(first);
      for (const other of others) {
        yield parts.join('');
        parts = [other];
      }
    }
  } finally {
    await reader.cancel();
  }
}

/** Undefined: a comment, or how long to wait. */
function eventOf(lines: readonly string[]): StreamEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
  }
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return { id: fields.get('id'), event: fields.get('event') ?? 'message', data };
}
