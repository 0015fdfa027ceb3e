import { VisibleText } from '../verdict/visible-text.js';
import { parseArguments } from './arguments.js';
import { draft, edit } from './draft.js';
import { Field } from './field.js';

/** More are not shown one by one. */
const shownArgumentsMax = 20;
const shownCharactersMax = 200;

/** What the script is given when it begins: its arguments and its standard input. */
export function InputFields() {
  const { args, stdin } = draft.value;
  return (
    <div class="inputs">
      <Field name="args" label="Arguments" hint={<ReadArguments line={args} />}>
        {(control) => (
          <textarea
            {...control}
            rows={1}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            placeholder="--name 'Ada Lovelace' 42"
            value={args}
            onInput={(event) => edit({ args: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field name="stdin" label="Standard input">
        {(control) => (
          <textarea
            {...control}
            rows={1}
            autocomplete="off"
            spellcheck={false}
            placeholder="Empty"
            value={stdin}
            onInput={(event) => edit({ stdin: event.currentTarget.value })}
          />
        )}
      </Field>
    </div>
  );
}

/** An argument may be as large as all that is submitted. */
function beginning(arg: string): string {
  return arg.length > shownCharactersMax ? `${arg.slice(0, shownCharactersMax)}…` : arg;
}

/** How the line is understood: each argument by itself. */
function ReadArguments({ line }: { line: string }) {
  if (line.trim() === '') return 'Separated by blanks; quotation marks keep blanks.';
  const parsed = parseArguments(line);
  if ('fault' in parsed) return parsed.fault;
  const { args } = parsed;
  const rest = args.length - shownArgumentsMax;
  return (
    <ul class="arguments" aria-label="Arguments as they are understood">
      {args.slice(0, shownArgumentsMax).map((arg, index) => (
        <li key={index} class="tag mono">
          {arg === '' ? <span class="dim">empty</span> : <VisibleText text={beginning(arg)} />}
        </li>
      ))}
      {rest > 0 && <li>and {rest} more</li>}
    </ul>
  );
}
