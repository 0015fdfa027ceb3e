/** Values as the service really answers them; a test holds each against its schema. */

const id = '01a20cb8-5519-70f4-a634-983f0412a870';

const limits = {
  wallMs: 5_000,
  cpuMs: 30_000,
  outputBytes: 4_194_304,
  diskBytes: 67_108_864,
  openFiles: 256,
  processes: 256,
};

const summary = {
  id,
  type: 'python',
  state: 'finished',
  outcome: 'success',
  priority: 0,
  score: 0,
  tags: ['demo'],
  limits,
  network: 'none',
  attempt: 1,
  attempts: [
    {
      attempt: 1,
      worker: 'python-1',
      outcome: 'success',
      startedAt: '2026-11-24T08:42:16.729Z',
      finishedAt: '2026-11-24T08:42:16.807Z',
    },
  ],
  createdAt: '2026-11-24T08:42:16.728Z',
  startedAt: '2026-11-24T08:42:16.729Z',
  finishedAt: '2026-11-24T08:42:16.807Z',
  timeline: {
    queuedMs: 0.14,
    dispatchMs: 8.18,
    startMs: 0.67,
    runMs: 69.23,
    drainMs: 0.09,
    checkMs: 0,
  },
  exitCode: 0,
  truncated: { stdout: false, stderr: false },
  usage: { wallMs: 69.23, cpuMs: 42.43, memoryPeakBytes: 89_280_512 },
  worker: 'python-1',
  durability: 'fsync',
};

const output = { stdout: 'HELLO\n', stdoutEncoding: 'utf-8', stderr: '', stderrEncoding: 'utf-8' };

const { type, priority, score, network, createdAt, durability } = summary;
const common = { id, type, priority, score, tags: ['demo'], limits, network, createdAt };

const schedule = {
  id: 'nightly',
  cron: '0 3 * * *',
  timeZone: 'Europe/Vienna',
  missed: 'skip',
  enabled: true,
  nextRunAt: '2026-11-25T02:00:00.000Z',
};

const scheduledTask = { code: 'echo night', type: 'bash' };

const failure = { type: 'about:blank', taskId: id };

export const examples = {
  taskId: id,
  taskBody: {
    code: 'import sys; print(sys.stdin.read().upper())',
    type: 'python',
    stdin: 'hello',
    tags: ['demo'],
    limits: { wallMs: 5_000 },
  },
  /** All that needs more than a line to say. */
  largeTaskBody: {
    code: 'cat data/in.json; echo "{}" > out.json',
    type: 'bash',
    args: ['--verbose'],
    env: { LANG: 'C.UTF-8' },
    files: { 'data/in.json': '{"n": 41}', 'logo.png': { base64: 'iVBORw0KGgo=' } },
    collect: ['*.json'],
    check: { schema: { type: 'object', required: ['n'] } },
    retry: { maxAttempts: 5, on: ['runtime_error'], baseMs: 500 },
    expiresAfterMs: 3_600_000,
    group: 'nightly',
    priority: 5,
  },
  finishedTask: { ...summary, ...output },
  taskSummary: summary,
  pendingTask: { ...common, state: 'pending', attempt: 0, attempts: [], durability },
  runningTask: {
    ...common,
    state: 'running',
    attempt: 1,
    attempts: [{ attempt: 1, worker: 'python-1', startedAt: summary.startedAt }],
    startedAt: summary.startedAt,
    worker: 'python-1',
    durability,
  },
  cancelledTask: {
    ...common,
    state: 'finished',
    outcome: 'cancelled',
    code: 'CANCELLED',
    reason: 'The task was cancelled before it began.',
    attempt: 0,
    attempts: [],
    cancel: { cause: 'caller', requestedAt: summary.startedAt },
    finishedAt: summary.finishedAt,
    durability,
  },
  explanation: {
    id,
    state: 'pending',
    reason: 'paused',
    type: 'bash',
    text: 'Type bash is paused; resume it to go on.',
  },
  scheduleBody: {
    id: schedule.id,
    cron: schedule.cron,
    timeZone: schedule.timeZone,
    task: scheduledTask,
  },
  schedule: { ...schedule, task: scheduledTask },
  scheduleSummary: schedule,
  queue: {
    type: 'bash',
    paused: false,
    ready: 0,
    waiting: 0,
    running: 0,
    workers: 1,
    slots: 1,
  },
  worker: {
    id: 'bash-1',
    type: 'bash',
    slots: 1,
    busy: 0,
    pid: 4711,
    isolation: { level: 'strict', layers: ['start', 'rlimits', 'no-new-privileges', 'seccomp'] },
    draining: false,
    heardAt: '2026-11-24T08:42:16.131Z',
    connectedAt: '2026-11-24T08:11:02.500Z',
    pool: { prepared: 1, warmStarts: 40, coldStarts: 2 },
  },
  /** What /execute answers of tasks that did not succeed, by the status. */
  failures: {
    409: {
      CANCELLED: {
        ...failure,
        title: 'Conflict',
        status: 409,
        detail: 'The task was cancelled after 1081 ms.',
        code: 'CANCELLED',
        outcome: 'cancelled',
      },
    },
    422: {
      EXCEPTION: {
        ...failure,
        title: 'Unprocessable Entity',
        status: 422,
        detail: 'The script raised ZeroDivisionError: division by zero (line 1).',
        code: 'EXCEPTION',
        outcome: 'runtime_error',
        exitCode: 1,
        exception: {
          type: 'ZeroDivisionError',
          message: 'division by zero',
          frames: [{ file: 'script.py', line: 1, function: '<module>', code: 'print(1/0)' }],
        },
        stdout: '',
        stdoutEncoding: 'utf-8',
        stderr: 'Traceback (most recent call last):\n  …',
        stderrEncoding: 'utf-8',
      },
    },
    503: {
      WORKER_LOST: {
        ...failure,
        title: 'Service Unavailable',
        status: 503,
        detail: 'The worker python-1 was lost while it ran the task.',
        code: 'WORKER_LOST',
        outcome: 'network_fail',
      },
    },
    504: {
      WALL_LIMIT: {
        ...failure,
        title: 'Gateway Timeout',
        status: 504,
        detail: 'The script ran longer than limits.wallMs (30000 ms) and was killed.',
        code: 'WALL_LIMIT',
        outcome: 'runtime_error',
        signal: 'SIGKILL',
      },
    },
  } as Readonly<Record<number, Readonly<Record<string, unknown>>>>,
} as const;
