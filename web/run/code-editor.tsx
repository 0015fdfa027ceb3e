import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { clearFault, faults, startRun } from './current-run.js';
import { draft, edit, fillings } from './draft.js';
import type { Editor } from './editor.js';
import { runtimeOf } from './runtimes.js';
import { shownLine } from './shown-line.js';

/**
 * Where the script is written. The editor is loaded after the page has been drawn; until then, and
 * where that fails, a plain field does.
 */
export function CodeEditor() {
  const place = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLTextAreaElement>(null);
  const [editor, setEditor] = useState<Editor | undefined>();
  const [missing, setMissing] = useState('');
  const id = useId();
  const { type } = draft.value;
  const fault = faults.value.code;
  const describedBy = `${id}-hint ${id}-fault`;

  useEffect(() => {
    let isGone = false;
    let made: Editor | undefined;
    const load = async () => {
      const { Editor: Made } = await import('./editor.js');
      const parent = place.current;
      if (isGone || !parent) return;
      const hadFocus = document.activeElement === plain.current;
      made = new Made({
        ...{ parent, describedBy, text: draft.peek().code, type: draft.peek().type },
        nonce: document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? '',
        onEdit: write,
        onRun: () => void startRun(),
      });
      setEditor(made);
      if (hadFocus) made.focus();
    };
    load().catch((error: unknown) => {
      if (!isGone) setMissing(sentenceOf(error));
    });
    return () => {
      isGone = true;
      made?.destroy();
    };
  }, []);
  useEffect(() => editor?.setText(draft.peek().code), [editor, fillings.value]);
  useEffect(() => editor?.setType(type), [editor, type]);
  useEffect(() => editor?.mark(shownLine.value?.line), [editor, shownLine.value?.line]);
  useEffect(() => {
    const shown = shownLine.value;
    if (shown?.wish) editor?.show(shown.line);
  }, [editor, shownLine.value?.wish]);
  useEffect(() => {
    if (fault !== undefined) editor?.focus();
  }, [editor, fault === undefined]);

  return (
    <div>
      <div class={fault === undefined ? 'editor card' : 'editor card faulty'}>
        {!editor && (
          <textarea
            ref={plain}
            aria-label="Script"
            aria-describedby={describedBy}
            spellcheck={false}
            autocapitalize="off"
            placeholder={runtimeOf(type).example}
            value={draft.value.code}
            onInput={(event) => write(event.currentTarget.value)}
          />
        )}
        <div class="editor-place" ref={place} hidden={!editor} />
      </div>
      <p class="fault" id={`${id}-fault`} role="alert">
        {fault}
      </p>
      <p class="hint editor-hint" id={`${id}-hint`}>
        {missing === '' ? (
          <>
            <kbd>Tab</kbd> indents; <kbd>Esc</kbd>, then <kbd>Tab</kbd> leaves the editor.
          </>
        ) : (
          `The editor did not come (${missing}): this plain field does, or load the page again.`
        )}
      </p>
    </div>
  );
}

function write(code: string): void {
  edit({ code });
  clearFault('code');
}
