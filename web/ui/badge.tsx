import type { Task } from '../../src/client/task.js';

const looks: Readonly<Record<string, string>> = {
  pending: 'idle',
  running: 'busy',
  success: 'good',
  runtime_error: 'bad',
  format_error: 'bad',
  network_fail: 'warn',
  internal_fail: 'warn',
  cancelled: 'idle',
  expired: 'idle',
};

interface Standing {
  state: Task['state'];
  outcome?: Task['outcome'] | undefined;
  deadLetter?: true | undefined;
}

/** The state of a task, or how it ended. */
export function StateBadge({ task }: { task: Standing }) {
  const word = task.outcome ?? task.state;
  return (
    <span class={`badge ${looks[word] ?? 'idle'}`}>
      {word.replaceAll('_', ' ')}
      {task.deadLetter && ' · dead letter'}
    </span>
  );
}
