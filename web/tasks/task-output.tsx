import type { Task } from '../../src/client/task.js';
import { Output } from '../verdict/output.js';
import { OutputPages } from './output-pages.js';
import type { StoredOutput } from './stored-output.js';
import type { AttemptOutput } from './task-watch.js';

export interface StoredOutputs {
  stdout: StoredOutput;
  stderr: StoredOutput;
}

export interface TaskOutputProps {
  task: Task;
  /** What came while somebody looked. */
  live: AttemptOutput | undefined;
  /** Of a task that had ended before. */
  stored: StoredOutputs | undefined;
}

const streams = ['stdout', 'stderr'] as const;

/** What a task has written. */
export function TaskOutput({ task, live, stored }: TaskOutputProps) {
  if (live) return streams.map((stream) => <Live key={stream} {...{ task, live, stream }} />);
  if (stored) return streams.map((stream) => <OutputPages key={stream} output={stored[stream]} />);
  return <p class="dim">It has not begun yet.</p>;
}

interface LiveProps {
  task: Task;
  live: AttemptOutput;
  stream: (typeof streams)[number];
}

function Live({ task, live, stream }: LiveProps) {
  const output = live[stream];
  // Read so that the size is shown anew when there is more.
  void output.text.version.value;
  const hasEnded = task.state === 'finished';
  return (
    <Output
      text={output.text}
      label={stream}
      byteCount={output.byteCount}
      isLive={!hasEnded}
      source={hasEnded ? `/v1/tasks/${encodeURIComponent(task.id)}/${stream}` : undefined}
      empty={hasEnded ? `Nothing was written to ${stream}.` : 'Nothing yet.'}
    />
  );
}
