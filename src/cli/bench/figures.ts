/** A duration to three digits: `143µs`, `4.64ms`, `12.3s`, `250s`. */
export function preciseText(ms: number): string {
  if (ms < 0.9995) return `${Math.round(ms * 1_000)}µs`;
  if (ms < 999.5) return `${digits(ms)}ms`;
  return `${digits(ms / 1_000)}s`;
}

/** A number to three digits, or all that stand before its point. */
export function digits(value: number): string {
  if (value >= 99.95) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 9.995 ? 1 : 2);
}

export function countText(count: number): string {
  return count.toLocaleString('en');
}

/** `1 task`, `2,000 tasks`. */
export function tasksText(count: number): string {
  return `${countText(count)} ${count === 1 ? 'task' : 'tasks'}`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** A duration of whole seconds as it might have been given: `90s`, `5m`. */
export function givenText(ms: number): string {
  const [name, unitMs] = units.find(([, unit]) => ms % unit === 0) ?? ['s', 1_000];
  return `${ms / unitMs}${name}`;
}
