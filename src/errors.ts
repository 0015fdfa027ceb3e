/**
 * A fault of the world: something outside this program (the kernel, a peer, a file, a caller's
 * input) did not do what was asked. Callers match on `code`; people read `message`.
 *
 * Faults of the programmer are assertions, see invariant.ts.
 */
export class ScriptdError extends Error {
  override readonly name = 'ScriptdError';
  /** Stable, SCREAMING_SNAKE_CASE. For a failed system call the errno's name, e.g. ECONNREFUSED. */
  readonly code: string;
  /** The system call that failed, e.g. 'connect'. */
  readonly syscall: string | undefined;
  /** Its errno, positive. */
  readonly errno: number | undefined;

  constructor(
    code: string,
    message: string,
    detail: { syscall?: string; errno?: number; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.syscall = detail.syscall;
    this.errno = detail.errno;
  }
}

/** The `code` of any thrown value that carries one, else undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of any thrown value, for logs and for sentences that people read. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
