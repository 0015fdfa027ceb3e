/** Exit codes of every command. Source: sysexits(3), where it has one. */
export const exitCodes = {
  done: 0,
  /** Something failed; the last line on stderr says what. */
  failed: 1,
  /** The command line is wrong (EX_USAGE). */
  usage: 64,
  /** A script's output is not what its check wants (EX_DATAERR). */
  badOutput: 65,
  /** An address is in use, or a service cannot be reached (EX_UNAVAILABLE). */
  unavailable: 69,
  /** A task failed by no doing of its own (EX_SOFTWARE). */
  internal: 70,
  /** It may go better later (EX_TEMPFAIL). */
  tryAgain: 75,
  /** The token does not allow it, or there is none (EX_NOPERM). */
  notAllowed: 77,
  /** The configuration is wrong (EX_CONFIG): the same start would fail again. */
  config: 78,
} as const;

/** Codes of errors that a restart does not mend, and what a part exits with for them. */
const lasting: Record<string, number> = {
  BAD_CONFIG: exitCodes.config,
  BAD_EVALUATOR: exitCodes.config,
  BAD_ADDRESS: exitCodes.config,
  BAD_SOCKETS: exitCodes.config,
  BAD_HOST: exitCodes.usage,
  BAD_TIME: exitCodes.usage,
  BAD_CHECK: exitCodes.usage,
  BAD_URL: exitCodes.usage,
  BAD_OPTION: exitCodes.usage,
  SCRIPT_UNREADABLE: exitCodes.usage,
  SERVICE_UNREACHABLE: exitCodes.unavailable,
  INSECURE_TRANSPORT: exitCodes.config,
  ISOLATION_UNAVAILABLE: exitCodes.config,
  AUDIT_UNWRITABLE: exitCodes.config,
  AUTH_REQUIRED: exitCodes.config,
  RUNTIME_INVALID: exitCodes.config,
  RUNTIME_MISSING: exitCodes.config,
  TLS_FILES: exitCodes.config,
  CERTS_EXIST: exitCodes.usage,
  NO_AUTHORITY: exitCodes.usage,
  TOKENS_INVALID: exitCodes.config,
  TOKENS_UNREADABLE: exitCodes.config,
  BAD_TOKEN: exitCodes.usage,
  TOKEN_EXISTS: exitCodes.usage,
  TOKEN_UNREADABLE: exitCodes.config,
  TOKEN_WEAK: exitCodes.config,
  WORK_DIRECTORY: exitCodes.config,
  STORE_VERSION: exitCodes.config,
  STORE_CORRUPT: exitCodes.config,
  EACCES: exitCodes.config,
  EADDRINUSE: exitCodes.unavailable,
  EADDRNOTAVAIL: exitCodes.unavailable,
};

/** The exit code for an error that ended a command. */
export function exitCodeFor(code: string | undefined): number {
  return (code !== undefined ? lasting[code] : undefined) ?? exitCodes.failed;
}

/** True when starting again cannot help. */
export function isLasting(exitCode: number | null): boolean {
  return (
    exitCode === exitCodes.config ||
    exitCode === exitCodes.unavailable ||
    exitCode === exitCodes.usage
  );
}
