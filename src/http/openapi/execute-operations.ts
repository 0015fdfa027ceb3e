import { Type } from 'typebox';
import type { Code } from '../../verdict.js';
import { type Failed, failureStatus } from '../failure-status.js';
import { examples } from './examples.js';
import { aboutTask } from './headers.js';
import type { Answer, Failure, Operation } from './operation.js';
import { typeOfCode } from './parameters.js';
import { problemsOf } from './problems.js';

/** Codes of the tasks that end so. CLIENT_GONE is not among them: nobody is there to be told. */
const codesOf = {
  runtime_error: [
    'EXCEPTION',
    'EXIT_NONZERO',
    'SIGNALED',
    'WALL_LIMIT',
    'CPU_LIMIT',
    'MEMORY_LIMIT',
    'PROCESS_LIMIT',
    'OUTPUT_LIMIT',
    'DISK_LIMIT',
    'SYSCALL_DENIED',
  ],
  format_error: ['FORMAT_MISMATCH', 'CHECK_FAILED'],
  network_fail: ['WORKER_LOST'],
  internal_fail: ['WORKER_BUSY', 'START_FAILED', 'INTERNAL'],
  cancelled: ['CANCELLED', 'SHUTDOWN'],
  expired: ['EXPIRED'],
} as const satisfies Record<Failed, readonly Code[]>;

function failures(): Record<number, Failure> {
  const found: Record<number, Failure> = {};
  for (const [outcome, codes] of Object.entries(codesOf)) {
    for (const code of codes) {
      const status = failureStatus(outcome as Failed, code);
      found[status] = failureWith(status, [...(found[status]?.codes ?? []), code]);
    }
  }
  return found;
}

function failureWith(status: number, codes: readonly Code[]): Failure {
  const names = codes.map((code) => `\`${code}\``).join(', ');
  const { 'X-Task-Id': id, 'X-Task-Outcome': outcome } = aboutTask;
  return {
    description: `${names}: the task did not succeed. \`outcome\` and \`taskId\` are there too, and what the script wrote.`,
    codes,
    // Of problems without a task, too.
    headers: {
      ...(id && { 'X-Task-Id': { ...id, required: false } }),
      ...(outcome && { 'X-Task-Outcome': { ...outcome, required: false } }),
    },
    examples: examples.failures[status] ?? {},
  };
}

const stdout: Answer = {
  description: 'The script succeeded: what it wrote to stdout, byte for byte.',
  headers: aboutTask,
  content: { 'text/plain': { schema: Type.String(), examples: { text: '2\n' } } },
};

const { query, controller, store } = problemsOf;
const common = {
  tag: 'Execute',
  answers: { 200: stdout },
  failures: failures(),
} as const;
const problems = [
  ...query,
  'INVALID_FIELD',
  'UNKNOWN_TYPE',
  'GROUP_OVERLOADED',
  ...controller,
  ...store,
] as const;

export const executeUrl: Operation = {
  ...common,
  id: 'executeUrl',
  summary: 'Run the code in the query',
  description:
    'Waits until the script has ended. Code that is URL-encoded twice is understood. ' +
    'A client that goes away cancels its task.',
  parameters: [
    {
      name: 'code',
      in: 'query',
      required: true,
      description: 'The script, as UTF-8. The URL may have 4 MiB (4,194,304 bytes).',
      schema: Type.String(),
      example: 'print(1+1)',
    },
    typeOfCode,
  ],
  problems: [...problems, 'MISSING_CODE'],
};

export const executeBody: Operation = {
  ...common,
  id: 'executeBody',
  summary: 'Run the code in the body',
  description: 'Waits until the script has ended. A client that goes away cancels its task.',
  parameters: [typeOfCode],
  body: {
    description:
      'The script, in UTF-8, at most 4 MiB, whatever its Content-Type. Without a body it is empty.',
    required: false,
    content: {
      'text/plain': { schema: Type.String(), examples: { python: 'print(1+1)' } },
    },
  },
  problems: [...problems, 'BODY_TOO_LARGE'],
};
