import type { Code, Outcome } from '../verdict.js';

/**
 * What a caller asks for, and the task as the service shows it. docs/API.md explains every member.
 * Names end in their unit; times are RFC 3339.
 */

/** Text, or any bytes. */
export type Content = string | { base64: string };

export interface Limits {
  /** Real time from start to end. */
  wallMs: number;
  /** Processor time. */
  cpuMs: number;
  memoryBytes?: number;
  /** Of stdout and of stderr, each. */
  outputBytes: number;
  diskBytes: number;
  files?: number;
  openFiles: number;
  processes: number;
}

export interface Check {
  schema?: Record<string, unknown>;
  pattern?: string;
  flags?: string;
  exact?: string;
  trim?: boolean;
  script?: { code: string; args?: string[] };
}

export interface Retry {
  /** The first attempt included. */
  maxAttempts?: number;
  on?: ('runtime_error' | 'format_error')[];
  baseMs?: number;
  capMs?: number;
}

/** A submission. */
export interface TaskSpec {
  code: string;
  /** `python`, `node`, `bash`, or another that the service has; left out, the service finds it. */
  type?: string;
  args?: string[];
  stdin?: Content;
  env?: Record<string, string>;
  /** Beside the script, by name. */
  files?: Record<string, Content>;
  /** Patterns of the files to hand back. */
  collect?: string[];
  limits?: Partial<Limits>;
  network?: 'none' | 'host';
  inspect?: boolean;
  /** -100 to 100. */
  priority?: number;
  retry?: Retry;
  check?: Check;
  delayMs?: number;
  /** RFC 3339; instead of `delayMs`. */
  runAt?: string;
  expiresAfterMs?: number;
  group?: string;
  tags?: string[];
  webhook?: Webhook;
}

/** Who is told when the task is finished; the secret is `whsec_` and base64. */
export interface Webhook {
  url: string;
  secret?: string;
  events?: 'finished'[];
}

export type TaskState = 'pending' | 'running' | 'finished';

export interface Attempt {
  attempt: number;
  worker: string;
  startedAt: string;
  finishedAt?: string;
  outcome?: Outcome;
  code?: Code;
  reason?: string;
}

export interface ExceptionFrame {
  file: string;
  line?: number;
  function?: string;
  code?: string;
  locals?: Record<string, string>;
}

export interface Exception {
  type?: string;
  message?: string;
  /** Outermost first. */
  frames?: ExceptionFrame[];
  cause?: { type?: string; message?: string };
}

/** A task as it stands. What is not known yet is absent. */
export interface Task {
  id: string;
  type: string;
  state: TaskState;
  outcome?: Outcome;
  code?: Code;
  /** One plain sentence; absent on success. */
  reason?: string;
  priority: number;
  score: number;
  group?: string;
  tags: string[];
  limits: Limits;
  network: 'none' | 'host';
  /** Of the current or last attempt; 0 before the first. */
  attempt: number;
  attempts: Attempt[];
  createdAt: string;
  runAt?: string;
  expiresAt?: string;
  nextAttemptAt?: string;
  startedAt?: string;
  finishedAt?: string;
  deadLetter?: true;
  cancel?: {
    cause: 'caller' | 'client_gone' | 'shutdown';
    requestedAt: string;
    signalledAt?: string;
    goneAt?: string;
  };
  timeline?: Record<
    'queuedMs' | 'dispatchMs' | 'startMs' | 'runMs' | 'drainMs' | 'checkMs',
    number
  >;
  exitCode?: number;
  signal?: string;
  stdout?: string;
  stdoutEncoding?: 'utf-8' | 'base64';
  stderr?: string;
  stderrEncoding?: 'utf-8' | 'base64';
  truncated?: { stdout: boolean; stderr: boolean };
  usage?: { wallMs: number; cpuMs: number; memoryPeakBytes: number; processesPeak?: number };
  exception?: Exception;
  format?: { expected: string; at?: string; got: string };
  files?: Record<string, { content: string; encoding: 'utf-8' | 'base64'; bytes: number }>;
  filesNotCollected?: { name: string; code: string; reason: string }[];
  /** The rest of its URL may be secret. */
  webhook?: { origin: string };
  worker?: string;
  durability: 'fsync' | 'os' | 'memory';
}

/** A task that has ended: its outcome is known. */
export type FinishedTask = Task & { state: 'finished'; outcome: Outcome };

export function isFinished(task: Task): task is FinishedTask {
  return task.state === 'finished';
}

/** Which tasks to list. */
export interface TaskFilter {
  state?: TaskState | undefined;
  type?: string | undefined;
  outcome?: Outcome | undefined;
  group?: string | undefined;
  tag?: string | undefined;
  deadLetter?: true | undefined;
  /** In its id, group, tags, worker, code, reason or script; large and small letters are the same. */
  text?: string | undefined;
}

/** What a task was submitted with, without the contents of its files. */
export interface SubmittedSpec
  extends Pick<TaskSpec, 'stdin' | 'env' | 'collect' | 'group' | 'check' | 'retry'> {
  code: string;
  type: string;
  args: string[];
  files: Record<string, { bytes: number }>;
  /** Those that were asked for. */
  limits: Partial<Limits>;
  network: 'none' | 'host';
  priority: number;
  tags: string[];
  inspect: boolean;
}

/** Why a task is where it is. Further members depend on `reason`. */
export interface Explanation {
  id: string;
  state: TaskState;
  reason: string;
  /** A sentence for people. */
  text: string;
  [member: string]: unknown;
}

/** The tasks of one type. */
export interface Queue {
  type: string;
  paused: boolean;
  /** Could be handed out. */
  ready: number;
  /** Wait for their time. */
  waiting: number;
  running: number;
  workers: number;
  slots: number;
}

export interface WorkerInfo {
  id: string;
  type: string;
  slots: number;
  busy: number;
  pid?: number;
  isolation?: { level: string; layers: string[] };
}

/**
 * Bytes of content, whichever way it is written.
 *
 * @param encoding of the text, as `stdoutEncoding` says it
 */
export function bytesOf(text: string, encoding: 'utf-8' | 'base64' = 'utf-8'): Uint8Array {
  if (encoding === 'utf-8') return new TextEncoder().encode(text);
  const binary = atob(text);
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
