import { ApiError, refusalOf } from './problem.js';
import { sessionHeaders, signedOut } from './session.js';

export interface Asking {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Asks the service, in the name of whoever is signed in.
 *
 * @throws ApiError also where no answer comes (status 0); and what an aborted `signal` throws
 */
export async function ask(path: string, asking: Asking = {}): Promise<Response> {
  const { method = 'GET', body, headers, signal } = asking;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...sessionHeaders(),
        ...headers,
      },
      credentials: 'same-origin',
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('The service does not answer: is it running?', {});
  }
  if (response.ok) return response;
  const refusal = await refusalOf(response);
  if (refusal.status === 401) signedOut(refusal.message);
  throw refusal;
}

/** The same, of an answer in JSON; undefined where there is none (204). */
export async function askJson<T>(path: string, asking?: Asking): Promise<T> {
  const response = await ask(path, asking);
  return (response.status === 204 ? undefined : await response.json()) as T;
}
