import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { python } from '@codemirror/lang-python';
import {
  bracketMatching,
  indentOnInput,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { shell } from '@codemirror/legacy-modes/mode/shell';
import {
  Compartment,
  EditorState,
  type Extension,
  Prec,
  StateEffect,
  StateField,
} from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
} from '@codemirror/view';
import { colours, look } from './editor-look.js';
import { runtimeOf } from './runtimes.js';

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  type: string;
  /** Ids of what describes it. */
  describedBy: string;
  /** Of the style element that it makes; the page's policy asks for one. */
  nonce: string;
  onEdit: (text: string) => void;
  onRun: () => void;
}

const languages: Readonly<Record<string, () => Extension>> = {
  python,
  node: () => javascript(),
  bash: () => StreamLanguage.define(shell),
};

/**
 * What the editor would draw as nothing: further marks of direction, invisible characters, tags. With
 * them a script can look like another.
 */
const hidden =
  /[\u115f\u1160\u180e\u202a-\u202c\u2060-\u2065\u2068\u206a-\u206f\u3164\u{e0000}-\u{e007f}]/u;

const markLine = StateEffect.define<number | undefined>();
const faultLine = Decoration.line({ class: 'cm-fault-line' });

/** The line that an exception came from, until the text is changed. */
const markedLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marked, { docChanged, effects, state: { doc } }) {
    for (const effect of effects) {
      if (!effect.is(markLine)) continue;
      const line = effect.value;
      const isThere = line !== undefined && line >= 1 && line <= doc.lines;
      return isThere ? Decoration.set(faultLine.range(doc.line(line).from)) : Decoration.none;
    }
    return docChanged ? Decoration.none : marked;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** The editor of scripts. It comes by itself, after the page. */
export class Editor {
  readonly #view: EditorView;
  readonly #runtime = new Compartment();

  constructor({ parent, text, type, describedBy, nonce, onEdit, onRun }: EditorOptions) {
    const run = () => {
      onRun();
      return true;
    };
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          Prec.highest(
            keymap.of([
              { key: 'Mod-Enter', run },
              { key: 'Ctrl-Enter', run },
            ]),
          ),
          // What is run is what was given, with the line ends that it has; what is pasted has ours.
          EditorState.lineSeparator.of('\n'),
          EditorView.clipboardInputFilter.of((pasted) => pasted.replace(/\r\n?/g, '\n')),
          EditorView.cspNonce.of(nonce),
          EditorView.contentAttributes.of({
            'aria-label': 'Script',
            'aria-describedby': describedBy,
          }),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged) onEdit(state.doc.toString());
          }),
          [lineNumbers(), highlightActiveLine(), highlightActiveLineGutter()],
          [
            highlightSpecialChars({ addSpecialChars: hidden }),
            drawSelection(),
            bracketMatching(),
            indentOnInput(),
          ],
          [history(), keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab])],
          [look, syntaxHighlighting(colours), markedLine],
          this.#runtime.of(extensionsOf(type)),
        ],
      }),
    });
  }

  setText(text: string): void {
    const { doc } = this.#view.state;
    if (doc.toString() === text) return;
    this.#view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
  }

  setType(type: string): void {
    this.#view.dispatch({ effects: this.#runtime.reconfigure(extensionsOf(type)) });
  }

  /** Marks a line, from 1; undefined: none. */
  mark(line: number | undefined): void {
    this.#view.dispatch({ effects: markLine.of(line) });
  }

  /** Goes there. @param line from 1 */
  show(line: number): void {
    const { doc } = this.#view.state;
    const { from } = doc.line(Math.min(Math.max(1, line), doc.lines));
    const effects = EditorView.scrollIntoView(from, { y: 'center' });
    this.#view.dispatch({ selection: { anchor: from }, effects });
    this.#view.focus();
  }

  focus(): void {
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }
}

function extensionsOf(type: string): Extension {
  const { example, indent } = runtimeOf(type);
  const language = Object.hasOwn(languages, type) ? languages[type]?.() : undefined;
  return [placeholder(example), indentUnit.of(indent), language ?? []];
}
