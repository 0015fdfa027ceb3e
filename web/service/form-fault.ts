import { ApiError, sentenceOf } from '../api/problem.js';

/** Why a form was refused. */
export interface FormFault {
  /** Which of its fields it is about; undefined: none that it has. */
  field: string | undefined;
  /** In the service's words. */
  message: string;
}

/**
 * Where in a form a refusal is to be shown: `task.args.2` at `task.args`.
 *
 * @param fields names of those that the form has
 * @param byCode fields of refusals that name none, by their code
 */
export function formFaultOf(
  error: unknown,
  fields: readonly string[],
  byCode: Readonly<Record<string, string>> = {},
): FormFault {
  const message = sentenceOf(error);
  if (!(error instanceof ApiError)) return { field: undefined, message };
  let field = error.field ?? byCode[error.code];
  while (field !== undefined && !fields.includes(field)) {
    const dot = field.lastIndexOf('.');
    field = dot === -1 ? undefined : field.slice(0, dot);
  }
  return { field, message };
}

/** Leads whoever filled in the form to what is wrong. */
export function focusFault(form: HTMLFormElement | null): void {
  form?.querySelector<HTMLElement>('[aria-invalid="true"], .fault[tabindex]')?.focus();
}
