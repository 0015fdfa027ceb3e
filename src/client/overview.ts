import type { Outcome } from '../verdict.js';
import type { Queue, WorkerInfo } from './task.js';

/** Something that somebody should look at. `code` is stable; `text` is one sentence with the cure. */
export interface Warning {
  code: string;
  text: string;
  type?: string;
  worker?: string;
}

/** How the service stands. docs/API.md explains every member. */
export interface Overview {
  at: string;
  ready: boolean;
  draining: boolean;
  /** A sentence for each thing that keeps it from being ready. */
  missing: string[];
  queues: Queue[];
  workers: WorkerInfo[];
  workersMore?: true;
  /** Absent for a token that is bound to a group. */
  deadLetters?: number;
  deadLettersMore?: true;
  /** The most serious first. */
  warnings: Warning[];
}

/** What went on of one type in one step: counts at its end, and of what happened in it. */
export interface TypeSample {
  ready: number;
  waiting: number;
  running: number;
  slots: number;
  submitted: number;
  finished: Partial<Record<Outcome, number>>;
  queuedMsMax: number;
  queuedMsMean: number;
}

export interface Sample {
  /** Its end. */
  at: string;
  types: Record<string, TypeSample>;
}

/** `history` takes the place of all samples before it. */
export type OverviewEvent =
  | { event: 'history'; data: { stepMs: number; samples: Sample[] } }
  | { event: 'sample'; data: Sample }
  | { event: 'overview'; data: Overview };
