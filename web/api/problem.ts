/** What the service answered instead of what was asked for, in its own words. */
export class ApiError extends Error {
  /** HTTP status; 0: no answer came. */
  readonly status: number;
  /** docs/ERRORS.md has the cause and the cure of each. */
  readonly code: string;
  /** Which field it is about. */
  readonly field: string | undefined;

  constructor(
    message: string,
    { status = 0, code = 'UNREACHABLE', field }: { status?: number; code?: string; field?: string },
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

/** The refusal in an answer that is no success (RFC 9457). */
export async function refusalOf(response: Response): Promise<ApiError> {
  const { status, statusText } = response;
  const text = await response.text();
  try {
    const { detail, title, code, field } = JSON.parse(text) as Record<string, string | undefined>;
    const message = detail ?? title ?? statusText;
    return new ApiError(message, { status, ...(code && { code }), ...(field && { field }) });
  } catch (error) {
    // A proxy's page, for example.
    if (!(error instanceof SyntaxError)) throw error;
    const message = `the answer was ${status} ${statusText}, and not from scriptd`;
    return new ApiError(message, { status, code: 'NOT_SCRIPTD' });
  }
}

/** For people. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
