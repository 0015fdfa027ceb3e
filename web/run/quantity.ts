/** A figure as somebody typed it; `value: undefined` is an empty field. */
export type Quantity = { value: number | undefined } | { fault: string };

const durations: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
};

const sizes: Readonly<Record<string, number>> = {
  b: 1,
  k: 1_024,
  kib: 1_024,
  m: 1_024 ** 2,
  mib: 1_024 ** 2,
  g: 1_024 ** 3,
  gib: 1_024 ** 3,
};

/** @returns milliseconds */
export function parseDuration(text: string): Quantity {
  return parse(text, durations, 'a time with its unit, such as 500 ms, 30 s, 2 min or 1 h');
}

/** @returns bytes */
export function parseSize(text: string): Quantity {
  return parse(text, sizes, 'a size with its unit, such as 64 KiB, 512 MiB or 1 GiB');
}

export function parseCount(text: string): Quantity {
  const trimmed = text.trim();
  if (trimmed === '') return { value: undefined };
  if (!/^-?\d{1,15}$/.test(trimmed)) return { fault: 'This takes a whole number.' };
  return { value: Number(trimmed) };
}

function parse(text: string, units: Readonly<Record<string, number>>, wanted: string): Quantity {
  const trimmed = text.trim();
  if (trimmed === '') return { value: undefined };
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(trimmed) ?? [];
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  if (number === undefined || factor === undefined) return { fault: `This takes ${wanted}.` };
  return { value: Math.round(Number(number) * factor) };
}

/** In the largest unit that needs no fraction. @param ms milliseconds */
export function durationText(ms: number): string {
  return text(ms, [
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ]);
}

/** The same of bytes. */
export function sizeText(byteCount: number): string {
  return text(byteCount, [
    ['GiB', 1_024 ** 3],
    ['MiB', 1_024 ** 2],
    ['KiB', 1_024],
    ['B', 1],
  ]);
}

function text(value: number, units: readonly (readonly [string, number])[]): string {
  const [unit, factor] = units.find(([, one]) => value >= one && value % one === 0) ??
    units.at(-1) ?? ['', 1];
  return `${value / factor} ${unit}`;
}
