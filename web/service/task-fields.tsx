import { useId } from 'preact/hooks';
import { overview } from '../api/overview.js';
import { Field } from './field.js';
import { limitFields, type ScheduleDraft } from './schedule-draft.js';

export interface TaskFieldsProps {
  draft: ScheduleDraft;
  change: (changes: Partial<ScheduleDraft>) => void;
  /** What is wrong with a field, by the service's name of it; '' is nothing. */
  faultOf: (field: string) => string;
}

/** What a schedule submits. */
export function TaskFields({ draft, change, faultOf }: TaskFieldsProps) {
  return (
    <fieldset>
      <legend>Task</legend>
      <div class="form-fields">
        <TypeField draft={draft} change={change} faultOf={faultOf} />
        <Field label="Code" class="whole" fault={faultOf('task.code')}>
          {(ties) => (
            <textarea
              {...ties}
              rows={8}
              spellcheck={false}
              value={draft.code}
              onInput={(event) => change({ code: event.currentTarget.value })}
            />
          )}
        </Field>
        <Field
          label="Arguments"
          class="whole"
          fault={faultOf('task.args')}
          hint="One a line, as it is."
        >
          {(ties) => (
            <textarea
              {...ties}
              rows={2}
              spellcheck={false}
              value={draft.args}
              onInput={(event) => change({ args: event.currentTarget.value })}
            />
          )}
        </Field>
      </div>
      <details open={Object.keys(draft.limits).length > 0 || hasLimitFault(faultOf)}>
        <summary>Limits</summary>
        <p class="hint">Of what is left empty, the service has a default.</p>
        {faultOf('task.limits') !== '' && <p class="fault">{faultOf('task.limits')}</p>}
        <div class="form-fields limits">
          {limitFields.map(({ name, label }) => (
            <Field key={name} label={label} fault={faultOf(`task.limits.${name}`)}>
              {(ties) => (
                <input
                  {...ties}
                  inputMode="numeric"
                  value={draft.limits[name] ?? ''}
                  onInput={({ currentTarget: { value } }) =>
                    change({ limits: { ...draft.limits, [name]: value } })
                  }
                />
              )}
            </Field>
          ))}
        </div>
      </details>
    </fieldset>
  );
}

function hasLimitFault(faultOf: (field: string) => string): boolean {
  return limitFields.some(({ name }) => faultOf(`task.limits.${name}`) !== '');
}

function TypeField({ draft, change, faultOf }: TaskFieldsProps) {
  const list = useId();
  const types = overview.value?.queues.map(({ type }) => type) ?? [];
  return (
    <Field
      label="Type"
      fault={faultOf('task.type')}
      hint="What runs it. Left empty, the service finds it by the code."
    >
      {(ties) => (
        <>
          <input
            {...ties}
            list={list}
            spellcheck={false}
            value={draft.type}
            onInput={(event) => change({ type: event.currentTarget.value })}
          />
          <datalist id={list}>
            {types.map((type) => (
              <option key={type} value={type} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
