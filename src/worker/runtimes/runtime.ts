import type { Check, Network } from '../../task.js';
import type { Raised } from '../verdict.js';

/**
 * An interpreter that is started before its script is there, waits for a task frame on descriptor 3
 * (docs/ARCHITECTURE.md), and then becomes that script.
 */
export interface Bootstrap {
  /** Its program for that: a folder of the host, without anything else in it. */
  readonly folder: string;
  /** Whole argv, given where the interpreter finds that folder. */
  argv(folder: string): string[];
  /** Names of variables that count only when the interpreter starts. */
  readonly startVariables: RegExp;
  /** It lays the limits of the frame upon itself. */
  readonly takesLimits: boolean;
  /** Whole argv of a process that forks such interpreters, given the shared library of the sandbox. */
  forkServer?(library: string): string[];
}

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
  /** Absent when it has to be started with its script. */
  readonly bootstrap?: Bootstrap;
  /** `host`: a task that asks for it gets the network of this host. */
  readonly network?: Network;
  /** Whole argv, argv[0] included; of the script itself where there is a bootstrap. */
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
  /** What the output of a task has to be that does not say so itself. */
  check?: Check;
  /** Modules that are imported before a script comes; python only. */
  preload?: readonly string[];
  /** `fresh`: each script has an address layout of its own. Default `shared`; python only. */
  aslr?: 'shared' | 'fresh';
}
