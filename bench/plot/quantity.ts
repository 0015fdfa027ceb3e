/** What a figure is of; values are in the unit that the name says, bytes without prefix. */
export type Unit = 'count' | 'bytes' | 'ms' | 'perSecond';

const bytePrefixes = ['B', 'kB', 'MB', 'GB', 'TB'];

/** For a reader: 3 digits at most, and the unit; `1,000,000`, `100 kB`, `0.25 ms`, `12 s`. */
export function show(value: number, unit: Unit): string {
  switch (unit) {
    case 'count':
      return digits(value);
    case 'perSecond':
      return `${digits(value)}/s`;
    case 'bytes': {
      const step = value < 1000 ? 0 : Math.floor(Math.log10(value * (1 + 1e-9)) / 3);
      const prefix = Math.min(step, bytePrefixes.length - 1);
      return `${digits(value / 1000 ** prefix)} ${bytePrefixes[prefix]}`;
    }
    case 'ms':
      return value >= 1000 ? `${digits(value / 1000)} s` : `${digits(value)} ms`;
  }
}

function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
