import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Task } from '../../src/client/task.js';
import { askJson } from '../api/http.js';
import { sentenceOf } from '../api/problem.js';
import { notify } from '../ui/notices.js';
import { ExceptionView } from '../verdict/exception.js';
import { Gauges, type GaugesProps } from '../verdict/gauges.js';
import { Timeline } from '../verdict/timeline.js';
import { Verdict } from '../verdict/verdict.js';
import { Attempts } from './attempts.js';
import { useClock } from './clock.js';
import { DeliveryOf } from './delivery.js';
import { ExplanationOf } from './explanation.js';
import { Facts } from './facts.js';
import { LifeList } from './life-list.js';
import { StoredOutput } from './stored-output.js';
import { type Submission, Submitted, useSubmission } from './submitted.js';
import { TaskHead } from './task-head.js';
import { type StoredOutputs, TaskOutput } from './task-output.js';
import { type AttemptOutput, TaskWatch } from './task-watch.js';
import { UnknownTask } from './unknown-task.js';
import './task-page.css';

/** Everything about one task, live until it has ended. */
export function TaskPage({ id }: { id: string }) {
  const watch = useMemo(() => new TaskWatch(id), [id]);
  useClock();
  useEffect(() => {
    watch.start();
    return () => watch.stop();
  }, [watch]);
  const task = watch.task.value;
  const submission = useSubmission(id, task !== undefined);
  const fault = watch.fault.value;
  if (watch.unknown.value !== '') return <UnknownTask id={id} sentence={watch.unknown.value} />;
  return (
    <div class="task-page">
      <TaskHead id={id} task={task} onRetried={(sent) => watch.start(sent)} />
      {fault !== '' && (
        <p class="fault" role="alert">
          Not up to date: {fault}
        </p>
      )}
      {task && <Body task={task} watch={watch} submission={submission} />}
      {!task && fault === '' && <p class="dim">Loading …</p>}
    </div>
  );
}

interface BodyProps {
  task: Task;
  watch: TaskWatch;
  submission: Submission;
}

function Body({ task, watch, submission }: BodyProps) {
  const live = watch.output.value;
  const stored = useStored(task, live);
  const withFiles = useFiles(task, submission);
  const isFinished = task.state === 'finished';
  const outputBytes = sizesOf(live, stored);
  return (
    <>
      <ExplanationOf watch={watch} />
      <div class="columns">
        <div>
          {isFinished && (
            <Section title="Verdict">
              <Verdict task={withFiles} />
              {task.exception && <ExceptionView exception={task.exception} />}
            </Section>
          )}
          <section class="plain-section">
            <h2>Output</h2>
            <TaskOutput task={task} live={live} stored={stored} />
          </section>
          <Section title="Code">
            <Submitted submission={submission} />
          </Section>
        </div>
        <div>
          {(task.timeline || task.usage) && (
            <Section title="Cost">
              <Timeline task={task} />
              {isFinished && <Gauges task={task} {...(outputBytes && { outputBytes })} />}
            </Section>
          )}
          <Section title="About it">
            <Facts task={task} />
          </Section>
          <Section title="What happened">
            <LifeList task={task} />
          </Section>
          {task.webhook && (
            <Section title="Webhook">
              <DeliveryOf task={task} />
            </Section>
          )}
        </div>
      </div>
      <Section title="Attempts">
        <Attempts task={task} />
      </Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="card padded">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** The outputs of a task that had ended before somebody looked; anew for each of its ends. */
function useStored(task: Task, live: AttemptOutput | undefined): StoredOutputs | undefined {
  const { id, state, finishedAt } = task;
  const isWanted = state === 'finished' && live === undefined;
  return useMemo(() => {
    if (!isWanted) return undefined;
    return { stdout: new StoredOutput(id, 'stdout'), stderr: new StoredOutput(id, 'stderr') };
  }, [id, finishedAt, isWanted]);
}

/** As far as they are known. */
function sizesOf(
  live: AttemptOutput | undefined,
  stored: StoredOutputs | undefined,
): GaugesProps['outputBytes'] {
  if (live) return { stdout: live.stdout.byteCount, stderr: live.stderr.byteCount };
  const stdout = stored?.stdout.totalBytes.value;
  const stderr = stored?.stderr.totalBytes.value;
  return stdout === undefined || stderr === undefined ? undefined : { stdout, stderr };
}

/**
 * The task with the files that it handed back. They come with all of its outputs only, so they are not
 * asked for unless it was to hand back any.
 */
function useFiles(task: Task, submission: Submission): Task {
  const [files, setFiles] = useState<Task['files']>();
  const collects = submission && 'spec' in submission ? (submission.spec.collect ?? []) : [];
  const isWanted = task.state === 'finished' && collects.length > 0;
  useEffect(() => {
    setFiles(undefined);
    if (!isWanted) return undefined;
    const ending = new AbortController();
    const path = `/v1/tasks/${encodeURIComponent(task.id)}`;
    askJson<Task>(path, { signal: ending.signal }).then(
      (whole) => setFiles(whole.files),
      (error) => {
        if (!ending.signal.aborted) notify('bad', sentenceOf(error));
      },
    );
    return () => ending.abort();
  }, [task.id, task.finishedAt, isWanted]);
  return files ? { ...task, files } : task;
}
