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

function given(spec: SubmittedSpec) {
  const { args = [], env = {}, files = {}, collect = [], check, retry, inspect } = spec;
  const rows: [string, string[]][] = [
    ['Arguments', args],
    ['Environment', Object.entries(env).map(([name, value]) => `${name}=${value}`)],
    ['Files', Object.entries(files).map(([name, file]) => `${name} (${bytes(file.bytes)})`)],
    ['Hands back', collect],
    ['Check', check ? [JSON.stringify(check)] : []],
    ['Tried again', retry ? [JSON.stringify(retry)] : []],
    ['Inspect', inspect ? ['local variables of an exception'] : []],
  ];
  return rows
    .filter(([, items]) => items.length > 0)
    .map(([name, items]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>
          <Items label={name} items={items} />
        </dd>
      </div>
    ));
}

/** More than that scrolls. */
const seenAtOnce = { items: 8, characters: 400 };

/** Each by itself, so that it shows where one ends. */
function Items({ label, items }: { label: string; items: readonly string[] }) {
  const characters = items.reduce((sum, item) => sum + item.length, 0);
  const isLong = items.length > seenAtOnce.items || characters > seenAtOnce.characters;
  const list = (
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
  if (!isLong) return list;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="long" aria-label={label} tabIndex={0}>
      {list}
    </section>
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
