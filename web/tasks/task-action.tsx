import { useState } from 'preact/hooks';
import type { Task } from '../../src/client/task.js';
import { askJson } from '../api/http.js';
import { Confirm } from '../ui/confirm.js';
import { attempt } from '../ui/notices.js';
import { shortId } from './task-columns.js';

export type ActionKind = 'cancel' | 'retry';

/** What may be done to a task as it stands. */
export function actionOf({ state }: Pick<Task, 'state'>): ActionKind {
  return state === 'finished' ? 'retry' : 'cancel';
}

const texts = {
  cancel: {
    title: 'Cancel this task?',
    text: 'Its script is ended where it is. What it has written so far stays.',
    action: 'Cancel the task',
    done: 'The task is cancelled.',
  },
  retry: {
    title: 'Send this task again?',
    text: 'It runs once more as the newest submission. Its result of now is given up; its attempts stay on record.',
    action: 'Send it again',
    done: 'The task is sent again.',
  },
} as const;

export interface TaskActionProps {
  kind: ActionKind;
  id: string;
  type: string;
  onDone?(task: Task): void;
  onClose(): void;
}

/** Asks whether to cancel a task, or to send it again, and does it. */
export function TaskAction({ kind, id, type, onDone, onClose }: TaskActionProps) {
  const [isBusy, setBusy] = useState(false);
  const { title, text, action, done } = texts[kind];
  const act = async () => {
    setBusy(true);
    const path = `/v1/tasks/${encodeURIComponent(id)}/${kind}`;
    const isDone = await attempt(async () => {
      const task = await askJson<Task>(path, { method: 'POST' });
      onDone?.(task);
    }, done);
    setBusy(false);
    if (isDone) onClose();
  };
  return (
    <Confirm
      title={title}
      action={action}
      danger={kind === 'cancel'}
      busy={isBusy}
      onConfirm={() => void act()}
      onClose={onClose}
    >
      <p>
        {type} <span class="mono">{shortId(id)}</span>
      </p>
      <p class="dim">{text}</p>
    </Confirm>
  );
}
