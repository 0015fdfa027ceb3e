import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** What ties a control to the texts around it. */
export interface FieldTies {
  id: string;
  'aria-invalid'?: 'true';
  'aria-describedby'?: string;
}

export interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  /** What the service says is wrong with it; '' is nothing. */
  fault?: string | undefined;
  class?: string;
  /** Makes the control, with these attributes. */
  children: (ties: FieldTies) => ComponentChildren;
}

/** One field of a form: its name, its control, how it is meant and what is wrong with it. */
export function Field({ label, hint, fault = '', class: look = '', children }: FieldProps) {
  const id = useId();
  const texts = [hint !== undefined && `${id}-hint`, fault !== '' && `${id}-fault`];
  const describedBy = texts.filter((text) => text !== false).join(' ');
  const ties: FieldTies = {
    id,
    ...(fault !== '' && { 'aria-invalid': 'true' as const }),
    ...(describedBy !== '' && { 'aria-describedby': describedBy }),
  };
  return (
    <div class={`form-field ${look}`}>
      <label for={id}>{label}</label>
      {children(ties)}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {fault !== '' && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}
