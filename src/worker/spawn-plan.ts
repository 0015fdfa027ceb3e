import type { BasicPlan } from './basic-plan.js';
import type { InputFile } from './program.js';
import type { Capacity, ReadOnlyPath } from './sandbox-plan.js';

/** All that a process is started with. */
export interface SpawnPlan {
  /** Absolute path of the executable. */
  file: string;
  /** argv[0] included. */
  argv: readonly string[];
  /** Exactly this; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Absolute path. */
  cwd: string;
  /** 'null' is /dev/null. */
  stdin: 'null' | 'pipe';
  /** What is left out stays as it is for the worker; core dumps are always off. See setrlimit(2). */
  limits: {
    /** SIGXCPU after this many seconds of CPU time, SIGKILL one second later. Per process. */
    cpuSeconds?: number;
    /** SIGXFSZ (or EFBIG) on writing beyond this size. */
    fileSizeBytes?: number;
    /** One more than the highest descriptor number. */
    openFiles?: number;
    /** Of the whole user id, threads included; not enforced for root. */
    processes?: number;
    addressSpaceBytes?: number;
    stackBytes?: number;
  };
  /** The process has the reading end of a pipe as descriptor 3, for a task frame (task-frame.ts). */
  control?: boolean;
  /** What level basic adds to a plain start: seccomp, landlock, no capability. Not with `strict`. */
  basic?: BasicPlan;
  /** Everything that the sandbox has; without it the process sees what the worker sees. */
  strict?: StrictPlan;
}

/** A start in namespaces of its own, on a root of its own. The script is in /work, whatever `cwd`. */
export interface StrictPlan {
  /**
   * The script's ids: on the host when the worker is root, else within the user namespace, where
   * they stand for the worker's own.
   */
  uid: number;
  gid: number;
  /**
   * Absolute paths of the host that are there too, read-only with all that is mounted below: at the
   * same place, where a symbolic link is made anew, or at another, for which it is followed. What a
   * later one has in an earlier one is kept. The list is not changed afterwards: what it leads to is
   * kept for further starts with the same (native/sandbox/root_templates.h).
   */
  readOnly: readonly (string | ReadOnlyPath)[];
  /** /work, where the input files count too. */
  directory: Capacity;
  /** /tmp */
  tmp: Capacity;
  /** /dev/shm */
  shm: Capacity;
  /** Written into /work. */
  files: readonly InputFile[];
  /** 'none' has a loopback that is down. */
  network: 'none' | 'host';
  /** Descriptors of the caller, who also closes them. */
  cgroup: {
    /** A directory of cgroup v2. */
    v2Directory?: number;
    /** Files cgroup.procs of cgroup v1, open for writing. */
    v1Procs?: readonly number[];
  };
  /** 'if-available' goes without on a kernel that has none. */
  landlock: 'require' | 'if-available';
  /**
   * Everything is prepared, and then the first process reads a task frame from the control pipe,
   * until its end: argv, env, limits and files are those of the frame. The script does not get the
   * pipe. Without effect unless the plan has `control`.
   */
  waits?: boolean;
}

/**
 * A process that executes its file. The caller owns the descriptors, and the zombie that the process
 * becomes: its number, and that of its group, stay taken until `reap`.
 */
export interface StartedProcess {
  pid: number;
  /** Readable once the process has ended, see pidfd_open(2). */
  pidfd: number;
  /** What is written here the process reads. Non-blocking, like the next two. */
  stdin: number | undefined;
  stdout: number;
  stderr: number;
  /**
   * Of a strict start, whose `pid` and `pidfd` are those of the first process in the namespace: what
   * comes out until its end is for `readStatus`. A socket, the caller's, non-blocking.
   */
  status?: number;
  /** The writing end of the control pipe, if the plan has one; non-blocking. */
  control?: number;
}
