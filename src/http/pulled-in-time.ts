/**
 * The same items, one by one as they are asked for. `onLate` is called when so long after one nobody
 * has asked for the next; milliseconds.
 */
export async function* pulledInTime<T>(
  items: AsyncIterable<T>,
  waitMs: number,
  onLate: () => void,
): AsyncGenerator<T> {
  for await (const item of items) {
    const timer = setTimeout(onLate, waitMs);
    try {
      yield item;
    } finally {
      clearTimeout(timer);
    }
  }
}
