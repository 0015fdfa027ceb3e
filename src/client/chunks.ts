/** How much goes together, and how long what is there waits for more. */
export interface ChunkLimits {
  items: number;
  /** Of all items of a chunk together; one that is larger stands alone. */
  size: number;
  lingerMs: number;
}

/**
 * What a source brings, in groups. A slow source holds nothing up: what is there after `lingerMs`
 * goes. It is asked for no more than one group ahead of its reader.
 *
 * @param sizeOf in the unit of `size`
 */
export async function* chunksOf<T>(
  source: Iterable<T> | AsyncIterable<T>,
  limits: ChunkLimits,
  sizeOf: (item: T) => number,
): AsyncGenerator<T[]> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let asked: Promise<IteratorResult<T>> | undefined;
  let isDone = false;
  let chunk: T[] = [];
  let size = 0;
  try {
    for (;;) {
      asked ??= Promise.resolve(iterator.next());
      const answer = chunk.length === 0 ? await asked : await unlessSlow(asked, limits.lingerMs);
      if (answer) asked = undefined;
      isDone = answer?.done === true;
      const more = answer && !answer.done ? sizeOf(answer.value) : 0;
      const isFull = chunk.length === limits.items || size + more > limits.size;
      if (chunk.length > 0 && (!answer || isDone || isFull)) {
        yield chunk;
        chunk = [];
        size = 0;
      }
      if (isDone) return;
      if (!answer || answer.done) continue;
      chunk.push(answer.value);
      size += more;
    }
  } finally {
    if (!isDone) {
      const closed = iterator.return?.();
      // While it is asked for more it can't say that it is closed.
      if (!asked) await closed;
    }
  }
}

/** What the promise brings, or undefined when that takes longer. */
async function unlessSlow<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const slow = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, slow]);
  } finally {
    clearTimeout(timer);
  }
}
