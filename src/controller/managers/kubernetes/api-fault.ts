import { ApiException } from '@kubernetes/client-node';
import { errorCode, errorMessage, ScriptdError } from '../../../errors.js';

/** What the API server's refusals mean here, by HTTP status. */
const codes: Readonly<Record<number, string>> = {
  401: 'KUBERNETES_FORBIDDEN',
  403: 'KUBERNETES_FORBIDDEN',
  404: 'KUBERNETES_MISSING',
  409: 'KUBERNETES_CONFLICT',
  410: 'KUBERNETES_GONE',
  429: 'KUBERNETES_UNREACHABLE',
};

/**
 * The fault that a request ended with.
 *
 * @param what e.g. 'create pod scriptd-python-x'
 */
export function apiFault(error: unknown, what: string): ScriptdError {
  const status = statusOf(error);
  if (status === undefined) {
    const text = `the Kubernetes API server did not answer \`${what}\`: ${errorMessage(error)}`;
    return new ScriptdError('KUBERNETES_UNREACHABLE', text, { cause: error });
  }
  return statusFault(status, messageOf(error), what);
}

/** The same of a Status object, as a watch brings it. */
export function statusFault(status: number, message: string, what: string): ScriptdError {
  const code = codes[status] ?? (status >= 500 ? 'KUBERNETES_UNREACHABLE' : 'KUBERNETES_REFUSED');
  const cure =
    code === 'KUBERNETES_FORBIDDEN'
      ? ': give the service account the rights of deploy/kubernetes/base/rbac.yaml'
      : '';
  const text = `the Kubernetes API server refused \`${what}\` (${status}): ${message}${cure}`;
  return new ScriptdError(code, text);
}

export function isFault(error: unknown, code: string): boolean {
  return errorCode(error) === code;
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof ApiException) return error.code;
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : undefined;
}

function messageOf(error: unknown): string {
  if (!(error instanceof ApiException)) return errorMessage(error);
  const body: unknown = typeof error.body === 'string' ? parsed(error.body) : error.body;
  const { message } = (body ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(error.body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // A proxy's page, for example.
    if (error instanceof SyntaxError) return { message: text.slice(0, 200) };
    throw error;
  }
}
