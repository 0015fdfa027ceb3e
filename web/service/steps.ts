import { computed } from '@preact/signals';
import { type History, history, type TypeSample } from '../api/overview.js';

/** The history as columns: what all charts of the page have in common. */
export interface Steps {
  /** End of each step, oldest first. Seconds since 1970. */
  at: number[];
  /** What each had; undefined where the service was away. */
  types: (Record<string, TypeSample> | undefined)[];
  /** Of the shared axis: seconds since 1970. */
  from: number;
  to: number;
  stepSeconds: number;
}

const hourSeconds = 3_600;
/** So little is shown at least: a line of two points across the whole chart says nothing. */
const spanSecondsMin = 600;
/** Beyond so many steps without one there was nobody to take a sample. */
const gapSteps = 1.8;

export const steps = computed(() => stepsOf(history.value));

function stepsOf({ stepMs, samples }: History): Steps {
  const stepSeconds = stepMs / 1_000;
  const at: number[] = [];
  const types: Steps['types'] = [];
  for (const sample of samples) {
    const seconds = Date.parse(sample.at) / 1_000;
    const last = at.at(-1);
    if (last !== undefined && seconds <= last) continue;
    if (last !== undefined && seconds - last > gapSteps * stepSeconds) {
      at.push(last + stepSeconds);
      types.push(undefined);
    }
    at.push(seconds);
    types.push(sample.types);
  }
  const to = at.at(-1) ?? 0;
  const first = at[0] ?? to;
  const span = Math.min(Math.max(to - first, spanSecondsMin), hourSeconds);
  return { at, types, from: to - span, to, stepSeconds };
}

/** One figure of one type over all steps; null where there is none. */
export function columnOf(
  { types }: Steps,
  type: string,
  figure: (sample: TypeSample) => number,
): (number | null)[] {
  return types.map((step) => {
    const sample = step?.[type];
    return sample ? figure(sample) : null;
  });
}

/** How long the steps reach back, in words. */
export function spanOf({ at, to, stepSeconds }: Steps): string {
  const minutes = Math.round((to - (at[0] ?? to) + stepSeconds) / 60);
  if (minutes >= 59) return 'over the last hour';
  return minutes <= 1 ? 'over the last minute' : `over the last ${minutes} minutes`;
}
