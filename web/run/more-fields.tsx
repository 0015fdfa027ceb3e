import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { faults } from './current-run.js';
import { type Draft, draft, edit, emptyDraft, fillings } from './draft.js';
import { Field } from './field.js';
import { FilesField } from './files-field.js';

type TextName = { [K in keyof Draft]: Draft[K] extends string ? K : never }[keyof Draft];

const limits: readonly { field: string; name: TextName; label: string; example: string }[] = [
  { field: 'limits.wallMs', name: 'wall', label: 'Wall time', example: '30 s' },
  { field: 'limits.cpuMs', name: 'cpu', label: 'Processor time', example: '30 s' },
  { field: 'limits.memoryBytes', name: 'memory', label: 'Memory', example: '512 MiB' },
  { field: 'limits.outputBytes', name: 'output', label: 'Output', example: '4 MiB' },
  { field: 'limits.processes', name: 'processes', label: 'Processes', example: '256' },
];

/** Everything here; what is elsewhere is what nearly every script needs. */
const names = [
  ...limits.map(({ name }) => name),
  ...(['hasNetwork', 'inspects', 'env', 'files'] as const),
  ...(['priority', 'group', 'tags', 'further'] as const),
];

/** What few scripts need, folded away until it says something. */
export function MoreFields() {
  const current = draft.value;
  const changed = names.filter((name) => isChanged(current[name], emptyDraft[name])).length;
  const hasFault = Object.keys(faults.value).some(
    (name) => !['code', 'args', 'stdin'].includes(name),
  );
  const [isOpen, setOpen] = useState(changed > 0);
  // What a link filled in is to be seen, and so is what is wrong.
  useEffect(() => {
    if (changed > 0 || hasFault) setOpen(true);
  }, [fillings.value, hasFault]);
  return (
    <details
      class="card more"
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <span>Limits, network, files and more</span>
        {changed > 0 && <span class="tag">{changed} set</span>}
      </summary>
      <div class="more-body">
        <fieldset class="more-limits">
          <legend>Limits</legend>
          {limits.map(({ field, name, label, example }) => (
            <TextField key={name} field={field} name={name} label={label} example={example} />
          ))}
        </fieldset>
        <p class="hint">Empty: as the service has it for this runtime.</p>
        <div class="more-checks">
          <CheckField
            field="network"
            name="hasNetwork"
            label="Network of the host"
            hint="Without it there is none, where scripts are shut in."
          />
          {current.type === 'python' && (
            <CheckField
              field="inspect"
              name="inspects"
              label="Variables in exceptions"
              hint="They may hold secrets of the script."
            />
          )}
        </div>
        <LinesField
          field="env"
          name="env"
          label="Environment"
          example="NAME=value"
          hint="One variable in each line."
        />
        <FilesField />
        <div class="more-limits">
          <TextField field="priority" name="priority" label="Priority" example="0" />
          <TextField field="group" name="group" label="Group" example="" />
          <TextField field="tags" name="tags" label="Tags" example="nightly, crawl" />
        </div>
        <LinesField
          field="further"
          name="further"
          label="Further members of the submission, as JSON"
          example='{ "collect": ["out/**"], "retry": { "maxAttempts": 1 } }'
          hint={
            <>
              Such as <code>collect</code>, <code>check</code>, <code>retry</code>,{' '}
              <code>delayMs</code>.
            </>
          }
        />
      </div>
    </details>
  );
}

function isChanged(value: unknown, empty: unknown): boolean {
  return typeof value === 'object'
    ? JSON.stringify(value) !== JSON.stringify(empty)
    : value !== empty;
}

interface NamedProps {
  field: string;
  label: string;
}

function TextField(props: NamedProps & { name: TextName; example: string }) {
  const { field, name, label, example } = props;
  return (
    <Field name={field} label={label}>
      {(control) => (
        <input
          {...control}
          type="text"
          autocomplete="off"
          spellcheck={false}
          placeholder={example}
          value={draft.value[name]}
          onInput={(event) => edit({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

type LinesProps = NamedProps & {
  name: TextName;
  example: string;
  hint: ComponentChildren;
};

function LinesField({ field, name, label, example, hint }: LinesProps) {
  return (
    <Field name={field} label={label} hint={hint}>
      {(control) => (
        <textarea
          {...control}
          rows={2}
          autocomplete="off"
          spellcheck={false}
          placeholder={example}
          value={draft.value[name]}
          onInput={(event) => edit({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

type CheckProps = NamedProps & { name: 'hasNetwork' | 'inspects'; hint: string };

function CheckField({ field, name, label, hint }: CheckProps) {
  return (
    <Field name={field} label={label} hint={hint}>
      {(control) => (
        <input
          {...control}
          type="checkbox"
          checked={draft.value[name]}
          onChange={(event) => edit({ [name]: event.currentTarget.checked })}
        />
      )}
    </Field>
  );
}
