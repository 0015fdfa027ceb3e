import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Task } from '../../src/client/task.js';
import { askJson } from '../api/http.js';
import { sentenceOf } from '../api/problem.js';
import { may } from '../api/session.js';
import { clock, milliseconds } from '../ui/format.js';
import { attempt } from '../ui/notices.js';
import { VisibleText } from '../verdict/visible-text.js';

/** What came of telling a webhook, as `GET /v1/tasks/ID/webhooks` shows it. */
interface DeliveryReport {
  origin: string;
  state: 'waiting' | 'due' | 'delivered' | 'failed';
  tries: number;
  attempts: { at: string; durationMs: number; status?: number; error?: string }[];
  nextAttemptAt?: string;
  reason?: string;
}

const states = {
  waiting: ['idle', 'waits for the end'],
  due: ['busy', 'being told'],
  delivered: ['good', 'told'],
  failed: ['bad', 'given up'],
} as const;

/** Whether who wants to be told of a task's end has been told, and a way to tell it again. */
export function DeliveryOf({ task }: { task: Task }) {
  const [report, setReport] = useState<DeliveryReport>();
  const [fault, setFault] = useState('');
  const path = `/v1/tasks/${encodeURIComponent(task.id)}/webhooks`;
  const look = useCallback(() => {
    askJson<DeliveryReport>(path).then(
      (found) => {
        setReport(found);
        setFault('');
      },
      (error) => setFault(sentenceOf(error)),
    );
  }, [path]);
  useEffect(look, [look, task.state, task.finishedAt]);
  const redeliver = () =>
    attempt(async () => {
      setReport(await askJson<DeliveryReport>(`${path}/redeliver`, { method: 'POST' }));
    }, 'It is told again.');
  if (fault !== '') return <p class="fault">{fault}</p>;
  if (!report) return <p class="dim">Loading …</p>;
  const { origin, state, tries, attempts, nextAttemptAt, reason } = report;
  const [colour, words] = states[state];
  return (
    <>
      <p>
        <span class={`badge ${colour}`}>{words}</span> <VisibleText text={origin} />
        {tries > 0 && (
          <span class="dim"> after {tries === 1 ? 'one attempt' : `${tries} attempts`}</span>
        )}
        {nextAttemptAt !== undefined && <span class="dim">, next at {clock(nextAttemptAt)}</span>}
      </p>
      {reason !== undefined && (
        <p class="fault">
          <VisibleText text={reason} />
        </p>
      )}
      {attempts.length > 0 && (
        <ol class="life">
          {attempts.map(({ at, durationMs, status, error }) => (
            <li key={at} class={error === undefined ? 'good' : 'bad'}>
              <time dateTime={at}>{clock(at)}</time>
              <span class="dim since">{milliseconds(durationMs)}</span>
              <span>
                {status === undefined ? 'no answer' : `answered ${status}`}
                {error !== undefined && (
                  <span class="dim">
                    {' – '}
                    <VisibleText text={error} />
                  </span>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
      <div class="pages">
        <button type="button" class="small" onClick={look}>
          Look again
        </button>
        {may('submit') && task.state === 'finished' && (
          <button type="button" class="small" onClick={() => void redeliver()}>
            Tell it again
          </button>
        )}
      </div>
    </>
  );
}
