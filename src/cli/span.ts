const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A duration in at most five characters: `12ms`, `3.4s`, `5m`, `2h`, `7d`. */
export function spanText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)}s`;
  for (const [name, unitMs] of units) {
    if (ms >= unitMs) return `${Math.floor(ms / unitMs)}${name}`;
  }
  return '0s';
}
