/** How often `once` is done per second by so many that do it again and again. */
export async function perSecond(forMs: number, callers: number, once: () => Promise<unknown>) {
  const endsAtMs = performance.now() + forMs;
  let done = 0;
  const startMs = performance.now();
  const call = async () => {
    while (performance.now() < endsAtMs) {
      await once();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return (done * 1000) / (performance.now() - startMs);
}
