import type { Check, Content, Limits, Retry } from '../../src/client/task.js';

/** What was asked for, as `GET /v1/tasks/ID/spec` shows it. */
export interface SubmittedSpec {
  code: string;
  type?: string;
  args?: string[];
  stdin?: Content;
  env?: Record<string, string>;
  files?: Record<string, { bytes: number }>;
  collect?: string[];
  limits?: Partial<Limits>;
  network?: string;
  priority?: number;
  group?: string;
  tags?: string[];
  check?: Check;
  retry?: Retry;
  inspect?: boolean;
}
