import t from 'tap';
import { limits } from '../../src/limits.js';
import { type Message, messageMisfit } from '../../src/wire/messages.js';
import { result, submission } from '../store/fixtures.js';

t.test('the number of an attempt that passes one message passes all', async (t) => {
  const { view, spec } = submission();
  const taskId = view.id;
  const ofAttempt = (attempt: number): Message[] => {
    const key = { taskId, attempt };
    const follow = { followId: 1, stdoutOffset: 0, stderrOffset: 0 };
    const worker = { type: 'noop', slots: 1, prefetch: 0, pid: 1 };
    const isolation = { level: 'none' as const, layers: [] };
    const record = { attempt, worker: 'w', startedAt: 1 };
    const cursor = { attempt, state: 'running' as const, stdoutOffset: 0, stderrOffset: 0 };
    return [
      { kind: 'execute', ...key, code: spec.code, limits: view.limits },
      { kind: 'cancel', ...key, cause: 'stale' },
      { kind: 'recall', ...key },
      { kind: 'follow', ...key, ...follow },
      { kind: 'inventory', ...worker, isolation, running: [key], unacknowledged: [] },
      { kind: 'inventory', ...worker, isolation, running: [], unacknowledged: [key] },
      { kind: 'started', ...key },
      { kind: 'recalled', ...key },
      { kind: 'result', ...key, result: result() },
      { kind: 'acknowledge', results: [key] },
      { kind: 'followTask', requestId: 1, taskId, cursor },
      { kind: 'task', requestId: 1, task: { ...view, attempt } },
      { kind: 'task', requestId: 1, task: { ...view, attempts: [record] } },
    ];
  };
  for (const message of ofAttempt(limits.attemptMax)) {
    t.equal(messageMisfit(message), undefined, message.kind);
  }
  for (const message of ofAttempt(limits.attemptMax + 1)) {
    t.match(messageMisfit(message), /attempt` must be <= 2147483647/, message.kind);
  }
});
