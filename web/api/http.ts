import { ApiError, refusalOf } from './problem.js';
import { sessionHeaders, sessionKey, signedOut } from './session.js';

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
  const shown = sessionKey();
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...sessionHeaders(shown),
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
  if (refusal.status === 401) signedOut(shown, refusal.message);
  throw refusal;
}

/**
 * The same, of an answer in JSON; undefined where there is none (204).
 *
 * @throws ApiError and what an aborted `signal` throws
 */
export async function askJson<T>(path: string, asking?: Asking): Promise<T> {
  const response = await ask(path, asking);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (asking?.signal?.aborted) throw error;
    throw new ApiError('The answer of the service broke off, or is none of it: try again.', {});
  }
}
