import type { Network } from '../../task.js';
import type { Raised } from '../verdict.js';

/** How a type of script is executed as a process. */
export interface ProcessRuntime {
  readonly kind: 'process';
  /** Absolute path of what is executed. */
  readonly file: string;
  /** Folders of the host that it lives in, beside the system's own. */
  readonly prefixes: readonly string[];
  /** Name of the file in the work directory that the code goes into. */
  readonly scriptName: string;
  /** Set beside the scrubbed environment; the task's own env comes after it. */
  readonly env: Readonly<Record<string, string>>;
  /** Files beside the work directories, by name, written once at start. */
  readonly rootFiles?: Readonly<Record<string, string>>;
  /** Whole argv, argv[0] included. */
  argv(args: readonly string[]): string[];
  /** Exit code with which the interpreter leaves after an exception that nobody caught. */
  readonly raisedExitCode?: number;
  /** The exception that the end of stderr reports, if it does. */
  raised?(stderr: string): Raised | undefined;
}

/** Answered by the worker itself, without a process: what everything else costs. */
export interface NoopRuntime {
  readonly kind: 'noop';
}

export type Runtime = ProcessRuntime | NoopRuntime;

/** How the configuration describes the runtime of a type. All of it may be left out. */
export interface RuntimeDefinition {
  /** One of the built-in runtimes; by default the one that is called like the type. */
  kind?: 'python' | 'node' | 'bash' | 'noop' | 'command';
  /** Interpreter of a built-in runtime: a path, or a name to look for in PATH. */
  interpreter?: string;
  /** Any program: its argv, `{script}` standing for the script's file name (appended if absent). */
  command?: readonly string[];
  /** Extension of the script's file, e.g. `.rb`. */
  extension?: string;
  env?: Readonly<Record<string, string>>;
  /** `host`: a task that asks for it gets the network of this host. Default `none`. */
  network?: Network;
  /** Modules that are imported before a script comes; python only. */
  preload?: readonly string[];
  /** `fresh`: each script has an address layout of its own. Default `shared`; python only. */
  aslr?: 'shared' | 'fresh';
}
