/**
 * What several sorted sources have together, sorted.
 *
 * @param isBefore whether the first comes before the second, in the order that each source has
 */
export function* merge<T>(
  sources: readonly Iterable<T>[],
  isBefore: (a: T, b: T) => boolean,
): Generator<T> {
  const heads = sources.map((source) => {
    const iterator = source[Symbol.iterator]();
    return { iterator, result: iterator.next() };
  });
  try {
    for (;;) {
      let first: (typeof heads)[number] | undefined;
      for (const head of heads) {
        if (head.result.done) continue;
        if (!first || isBefore(head.result.value, first.result.value)) first = head;
      }
      if (!first) return;
      const { value } = first.result;
      first.result = first.iterator.next();
      yield value;
    }
  } finally {
    // They hold cursors.
    for (const { iterator } of heads) iterator.return?.();
  }
}
