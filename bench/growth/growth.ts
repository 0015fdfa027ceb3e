import type { Unit } from '../plot/quantity.js';

/** One line of a panel. */
export interface Series {
  /** Its name in results.json. */
  key: string;
  /** For the legend; the same, and at the same place, in each panel that shows the same thing. */
  label: string;
}

/** One set of axes: what is measured, over the work. */
export interface Panel {
  title: string;
  /** The title in a word or two, for the head of a table. */
  short: string;
  unit: Unit;
  /** Whether less is better (`cost`), or more (`rate`). */
  kind: 'cost' | 'rate';
  series: readonly Series[];
}

export interface GrowthOptions {
  /** Little work and one round, to see that it runs: the figures mean nothing. */
  smoke: boolean;
}

/** What becomes dearer as what grows: one plot. */
export interface Growth {
  name: string;
  title: string;
  /** What grows. */
  work: { label: string; unit: Unit };
  panels: readonly Panel[];
  run(options: GrowthOptions, samples: Samples): Promise<void>;
}

/** What was measured at one amount of work: a value of each round. */
export interface Point {
  work: number;
  values: number[];
}

/** By the key of the series; points from little work to much. */
export type Measured = Record<string, Point[]>;

/** Collects what is measured, in any order. */
export class Samples {
  readonly #series = new Map<string, Map<number, number[]>>();

  add(key: string, work: number, value: number): void {
    const points = this.#series.get(key) ?? new Map<number, number[]>();
    const values = points.get(work) ?? [];
    values.push(value);
    this.#series.set(key, points.set(work, values));
  }

  measured(): Measured {
    const measured: Measured = {};
    for (const [key, points] of this.#series) {
      measured[key] = [...points]
        .map(([work, values]) => ({ work, values }))
        .sort((a, b) => a.work - b.work);
    }
    return measured;
  }
}

/** The points of a series. Throws where there are none: results.json is of another version then. */
export function pointsOf(measured: Measured, { key }: Series): Point[] {
  const points = measured[key];
  if (!points || points.length === 0) {
    throw new Error(`nothing was measured of "${key}": measure it again, without --redraw`);
  }
  return points;
}
