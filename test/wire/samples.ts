import type { Message } from '../../src/wire/messages.js';

const taskId = '01890a5d-ac96-774b-bcce-b302099a8057';

/** One message of each of several kinds, with every sort of field. */
export const samples: Message[] = [
  { kind: 'ping', sequence: 0 },
  {
    kind: 'execute',
    taskId,
    attempt: 1,
    code: 'print("größer → 😀")\n'.repeat(100),
    args: ['a', ''],
    stdin: Buffer.from([0, 255, 10]),
    env: { NAME: 'value' },
    limits: {
      wallMs: 30_000,
      cpuMs: 30_000,
      outputBytes: 4_194_304,
      diskBytes: 67_108_864,
      openFiles: 256,
      processes: 256,
    },
  },
  {
    kind: 'result',
    taskId,
    attempt: 1,
    result: {
      outcome: 'runtime_error',
      code: 'EXIT_NONZERO',
      reason: 'The script ended with exit code 3.',
      exitCode: 3,
      stdout: Buffer.alloc(70_000, 'x'),
      stderr: Buffer.alloc(0),
      truncated: { stdout: false, stderr: true },
      usage: { wallMs: 12.5, cpuMs: 3, memoryPeakBytes: 9_000_000 },
      phases: { startMs: 1, runMs: 11.25, drainMs: 0.25 },
    },
  },
  { kind: 'acknowledge', results: [{ taskId, attempt: 1 }] },
];
