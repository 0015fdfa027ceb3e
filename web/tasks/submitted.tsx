import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Content } from '../../src/client/task.js';
import { askJson } from '../api/http.js';
import { sentenceOf } from '../api/problem.js';
import { bytes } from '../ui/format.js';
import { VisibleText } from '../verdict/visible-text.js';
import { Listing } from './listing.js';
import type { SubmittedSpec } from './task-spec.js';

/** What is known of a task's submission: nothing yet, all of it, or why not. */
export type Submission = { spec: SubmittedSpec } | { fault: string } | undefined;

/** What was submitted, asked for once: as soon as it is known that there is such a task. */
export function useSubmission(id: string, isKnown: boolean): Submission {
  const [submission, setSubmission] = useState<Submission>();
  useEffect(() => {
    if (!isKnown) return undefined;
    const ending = new AbortController();
    const path = `/v1/tasks/${encodeURIComponent(id)}/spec`;
    askJson<SubmittedSpec>(path, { signal: ending.signal }).then(
      (spec) => setSubmission({ spec }),
      (error) => {
        if (!ending.signal.aborted) setSubmission({ fault: sentenceOf(error) });
      },
    );
    return () => ending.abort();
  }, [id, isKnown]);
  return submission;
}

/** The script, and all that it was given. */
export function Submitted({ submission }: { submission: Submission }) {
  if (!submission) return <p class="dim">Loading …</p>;
  if ('fault' in submission) return <p class="fault">{submission.fault}</p>;
  const { spec } = submission;
  return (
    <>
      {spec.code === '' ? (
        <p class="dim">There is no code.</p>
      ) : (
        <Listing text={spec.code} label="Code" />
      )}
      <dl class="task-facts">{given(spec)}</dl>
      {spec.stdin !== undefined && <Stdin content={spec.stdin} />}
    </>
  );
}

function given({ args, env, files, collect, check, retry, inspect }: SubmittedSpec) {
  const rows: [string, ComponentChildren][] = [];
  if (args?.length) rows.push(['Arguments', <Items items={args} />]);
  if (env && Object.keys(env).length > 0) {
    const items = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    rows.push(['Environment', <Items items={items} />]);
  }
  if (files && Object.keys(files).length > 0) {
    const items = Object.entries(files).map(([name, file]) => `${name} (${bytes(file.bytes)})`);
    rows.push(['Files', <Items items={items} />]);
  }
  if (collect?.length) rows.push(['Hands back', <Items items={collect} />]);
  if (check) rows.push(['Check', <Json value={check} />]);
  if (retry) rows.push(['Tried again', <Json value={retry} />]);
  if (inspect) rows.push(['Inspect', 'local variables of an exception are kept']);
  return rows.map(([name, value]) => (
    <div key={name}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  ));
}

/** Each by itself, so that it shows where one ends. */
function Items({ items }: { items: readonly string[] }) {
  return (
    <ul class="items">
      {items.map((item, index) => (
        <li key={index}>
          <code>
            <VisibleText text={item} />
          </code>
        </li>
      ))}
    </ul>
  );
}

function Json({ value }: { value: object }) {
  return (
    <pre class="json">
      <VisibleText text={JSON.stringify(value)} />
    </pre>
  );
}

function Stdin({ content }: { content: Content }) {
  return (
    <details>
      <summary>Standard input</summary>
      {typeof content === 'string' ? (
        <Listing text={content} label="Standard input" />
      ) : (
        <p class="dim">{bytes(Math.floor((content.base64.length * 3) / 4))} that are no text.</p>
      )}
    </details>
  );
}
