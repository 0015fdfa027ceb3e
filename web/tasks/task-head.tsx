import { useState } from 'preact/hooks';
import type { Task } from '../../src/client/task.js';
import { may } from '../api/session.js';
import { href } from '../route.js';
import { StateBadge } from '../ui/badge.js';
import { CopyId } from './copy-id.js';
import { type ActionKind, actionOf, TaskAction } from './task-action.js';

export interface TaskHeadProps {
  id: string;
  /** Undefined until it is known. */
  task: Task | undefined;
  /** It was sent again. */
  onRetried(task: Task): void;
}

/** The name of a task, how it stands, and what can be done with it. */
export function TaskHead({ id, task, onRetried }: TaskHeadProps) {
  const [asked, setAsked] = useState<ActionKind | undefined>();
  return (
    <div class="page-head">
      <div class="task-title">
        <h1>
          Task <span class="mono id-whole">{id}</span>
        </h1>
        <CopyId id={id} />
        <span role="status">{task && <StateBadge task={task} />}</span>
        {task && <span class="dim">{task.type}</span>}
      </div>
      {task && may('submit') && (
        <div class="buttons">
          <a class="button" href={href(['run'], { from: id })}>
            Open in Run
          </a>
          <button type="button" onClick={() => setAsked(actionOf(task))}>
            {actionOf(task) === 'cancel' ? 'Cancel' : 'Send again'}
          </button>
        </div>
      )}
      {task && asked && (
        <TaskAction
          kind={asked}
          id={id}
          type={task.type}
          onDone={(done) => {
            if (asked === 'retry') onRetried(done);
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}
