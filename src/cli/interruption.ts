/** timeout(1) and npm pass on what the whole process group has had already. */
const sameSignalMs = 500;

/**
 * Calls back for each SIGINT or SIGTERM, instead of being ended by it. One that follows at once is the
 * same one, and not told.
 *
 * @returns what ends this
 */
export function onInterruption(tell: () => void): () => void {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const onSignal = () => {
    const nowMs = performance.now();
    if (nowMs - toldAtMs < sameSignalMs) return;
    toldAtMs = nowMs;
    tell();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
}
