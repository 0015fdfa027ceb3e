import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { clearFault, faults } from './current-run.js';

/** What a field's control is to have. */
export interface ControlProps {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby': string | undefined;
}

export interface FieldProps {
  /** As the service calls it, e.g. `limits.wallMs`. */
  name: string;
  label: ComponentChildren;
  hint?: ComponentChildren;
  children: (control: ControlProps) => ComponentChildren;
}

/** A control with its label, what there is to know, and what is wrong with it. */
export function Field({ name, label, hint, children }: FieldProps) {
  const id = useId();
  const fault = faults.value[name];
  const told = [hint ? `${id}-hint` : '', fault ? `${id}-fault` : ''].filter(Boolean).join(' ');
  const control: ControlProps = {
    id,
    'aria-invalid': fault !== undefined,
    'aria-describedby': told === '' ? undefined : told,
  };
  return (
    <div class="field" onInput={() => clearFault(name)}>
      <label for={id}>{label}</label>
      {children(control)}
      {hint && (
        <div class="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {fault && (
        <p class="fault" id={`${id}-fault`} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
