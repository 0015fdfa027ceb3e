import './run.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { route } from '../route.js';
import { CodeEditor } from './code-editor.js';
import { complaints, faults, isUnderWay, resumeRun, run, startRun } from './current-run.js';
import { draft, emptyDraft } from './draft.js';
import { FilledNote } from './filled-note.js';
import { fillFromAddress, startAfresh } from './filling.js';
import { InputFields } from './input-fields.js';
import { MoreFields } from './more-fields.js';
import { Results, Status } from './results.js';
import { RuntimeChoice } from './runtime-choice.js';
import { ShareButton, type Shared, SharedLink } from './share.js';

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

/** A script is written here, run, and looked at. */
export function RunPage() {
  const results = useRef<HTMLElement>(null);
  const [shared, setShared] = useState<Shared | undefined>();
  const { query } = route.value;
  useEffect(() => void fillFromAddress(query), [query.toString()]);
  useEffect(resumeRun, []);

  const current = run.value;
  const isBusy = isUnderWay(current);
  useEffect(() => {
    // Below the fields, on narrow screens, it would begin unseen.
    const place = results.current;
    if (current.kind !== 'sending' || !place) return;
    if (place.getBoundingClientRect().top > innerHeight / 2) place.scrollIntoView();
  }, [current.kind]);

  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (complaints.value === 0) return undefined;
    // Once what folds it away is open.
    const frame = requestAnimationFrame(() => {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    });
    return () => cancelAnimationFrame(frame);
  }, [complaints.value]);

  const start = (event: Event) => {
    event.preventDefault();
    void startRun();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // The editor has done so by itself.
    if (event.defaultPrevented) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) start(event);
  };
  return (
    <div class="run">
      <form ref={form} class="run-form" onSubmit={start} onKeyDown={onKeyDown} noValidate>
        <div class="page-head run-head">
          <h1>Run</h1>
          <RuntimeChoice />
          <div class="buttons">
            {isWorthClearing() && (
              <button type="button" class="plain" onClick={startAfresh}>
                Clear
              </button>
            )}
            <ShareButton onShare={setShared} />
            <button type="submit" class="primary" disabled={isBusy}>
              {isBusy ? 'Running …' : 'Run'}
              {!isBusy && <kbd>{isApple ? '⌘' : 'Ctrl'} ⏎</kbd>}
            </button>
          </div>
        </div>
        {shared && <SharedLink shared={shared} onClose={() => setShared(undefined)} />}
        <FilledNote />
        <CodeEditor />
        <InputFields />
        <MoreFields />
        <FieldsAtFault />
      </form>
      <section
        class={current.kind === 'none' ? 'results' : 'results begun'}
        ref={results}
        aria-labelledby="results-title"
      >
        <h2 id="results-title" class="only-read">
          Result
        </h2>
        <Status />
        <Results />
      </section>
    </div>
  );
}

function isWorthClearing(): boolean {
  const { type: _, ...filled } = draft.value;
  return JSON.stringify(filled) !== emptyText;
}

const { type: _, ...emptyRest } = emptyDraft;
const emptyText = JSON.stringify(emptyRest);

/** Each stands at its field, which may be out of sight. */
function FieldsAtFault() {
  const count = Object.keys(faults.value).length;
  if (count === 0) return null;
  return (
    <p class="fault" role="status">
      {count === 1 ? 'A field has' : `${count} fields have`} to be mended first.
    </p>
  );
}
