/**
 * What several generators bring, in the order in which they bring it; at most `atOnce` of them at a
 * time, further ones as those end.
 */
export async function* together<T>(
  generators: AsyncGenerator<AsyncGenerator<T>>,
  atOnce: number,
): AsyncGenerator<T> {
  type Step = () => T | undefined;
  const running = new Map<AsyncGenerator<unknown>, Promise<Step>>();
  let hasMore = true;
  const advance = (generator: AsyncGenerator<T>) => {
    const next = generator.next().then(
      ({ done, value }): Step =>
        () => {
          if (done) running.delete(generator);
          else advance(generator);
          return done ? undefined : value;
        },
    );
    running.set(generator, next);
  };
  const askForMore = () => {
    const next = generators.next().then(
      ({ done, value }): Step =>
        () => {
          running.delete(generators);
          if (done) hasMore = false;
          else advance(value);
          return undefined;
        },
    );
    running.set(generators, next);
  };
  try {
    for (;;) {
      const others = running.size - (running.has(generators) ? 1 : 0);
      if (hasMore && others < atOnce && !running.has(generators)) askForMore();
      if (running.size === 0) return;
      const step = await Promise.race(running.values());
      const value = step();
      if (value !== undefined) yield value;
    }
  } finally {
    // Those that wait for something can't end before it comes: who aborts it ends them.
    for (const next of running.values()) next.catch(() => undefined);
    for (const generator of new Set([...running.keys(), generators])) {
      generator.return(undefined).catch(() => undefined);
    }
  }
}
