import { join } from 'node:path';
import { build } from 'esbuild';
import t from 'tap';
import { packageRoot } from '../../src/native.js';

interface Module {
  eventsOf(body: ReadableStream): AsyncGenerator<{ id?: string; event: string; data: string }>;
}

/** What the page does with a stream that comes in these pieces. */
async function readEvents(pieces: readonly string[]) {
  const entryPoints = [join(packageRoot, 'web', 'api', 'event-text.ts')];
  const { outputFiles } = await build({ entryPoints, write: false, format: 'esm' });
  const code = Buffer.from(outputFiles[0]?.contents ?? '').toString('base64');
  const module = (await import(`data:text/javascript;base64,${code}`)) as Module;
  const events = [];
  const body = ReadableStream.from(pieces.map((piece) => Buffer.from(piece)));
  for await (const event of module.eventsOf(body)) events.push(event);
  return events;
}

t.test('events are whole wherever their text is cut', async (t) => {
  const text = 'retry: 1\n\nid: 1\nevent: a\ndata: x\n\n:\n\ndata:y\n\ndata: cut off\n';
  const expected = [
    { id: '1', event: 'a', data: 'x' },
    { id: undefined, event: 'message', data: 'y' },
  ];
  t.same(await readEvents([text]), expected);
  t.same(await readEvents([...text]), expected);
  for (let at = 1; at < text.length; at++) {
    t.same(await readEvents([text.slice(0, at), text.slice(at)]), expected, `cut at ${at}`);
  }
});

t.test('a large event in many pieces is not looked at again with each', async (t) => {
  const pieces = Array.from({ length: 30_000 }, () => 'x'.repeat(1_000));
  const beforeMs = performance.now();
  const [event] = await readEvents(['data: ', ...pieces, '\n\n']);
  const tookMs = performance.now() - beforeMs;
  t.equal(event?.data.length, 30_000_000);
  // Otherwise 450 GB of text would be looked at.
  t.ok(tookMs < 30_000, `${tookMs} ms`);
});
