import { invariant } from './invariant.js';

/**
 * Every named limit that more than one part knows, in one place, with its unit in its name.
 * Limits of a single part stand in that part's own limits.ts.
 */
export const limits = {
  /** Largest frame on the wire, length prefix excluded. */
  frameBytesMax: 16 * 1024 * 1024,
  /** Largest frame before the peer has proven the token. */
  frameBytesBeforeProofMax: 4 * 1024,
  /** Nesting of maps and arrays in one frame. */
  frameDepthMax: 16,
  /** Maps and arrays in one frame; the largest inventory has 131,076. */
  frameContainersMax: 400_000,

  /** Number of an attempt: it has to fit into 32 bits. */
  attemptMax: 0x7fffffff,
  /** Source code of one script. */
  codeBytesMax: 4 * 1024 * 1024,
  /** Standard input of one script. */
  stdinBytesMax: 4 * 1024 * 1024,
  /** Files that a script is given, and that it hands back. */
  filesMax: 256,
  fileNameBytesMax: 1024,
  /** NAME_MAX of Linux. */
  fileNameComponentBytesMax: 255,
  /** Components of a file's name, its own included. */
  fileDepthMax: 32,
  /** All files that one script is given. */
  filesBytesMax: 4 * 1024 * 1024,
  /** All files that one script hands back. */
  collectBytesMax: 4 * 1024 * 1024,
  /** Patterns that name the files to hand back. */
  collectMax: 64,
  /** Components of all of them together. */
  collectComponentsMax: 512,
  argsMax: 256,
  argBytesMax: 64 * 1024,
  /** args and env together; Linux gives a new process 2 MiB for both, pointers included. */
  argsAndEnvBytesMax: 1024 * 1024,
  envMax: 256,
  envValueBytesMax: 64 * 1024,
  tagsMax: 32,
  tagBytesMax: 128,

  /** A format check: all of it as JSON, in bytes; its schema by itself, and how deep that nests. */
  checkBytesMax: 1024 * 1024,
  checkSchemaBytesMax: 64 * 1024,
  checkSchemaDepthMax: 12,
  checkPatternCharactersMax: 16 * 1024,
  checkArgsMax: 64,
  /** Of what a check says of an output: each of what was expected, where, and what came. */
  formatCharactersMax: 1024,

  /** Output kept of one script, per stream. */
  outputBytesMax: 5 * 1024 * 1024,
  outputBytesDefault: 4 * 1024 * 1024,
  /** Of each output in one message, while its script runs. */
  liveBytesMax: 64 * 1024,
  /** Of output past its cap, this much of the end is kept. */
  outputTailBytes: 4 * 1024,

  /** Of a delay, and of the time to live. */
  delayMsMax: 366 * 24 * 60 * 60 * 1000,
  idempotencyKeyBytesMax: 255,

  wallMsMax: 24 * 60 * 60 * 1000,
  wallMsDefault: 30_000,
  cpuMsDefault: 30_000,
  diskBytesDefault: 64 * 1024 * 1024,
  diskBytesMax: 1024 ** 4,
  openFilesDefault: 256,
  processesDefault: 256,
  memoryBytesDefault: 512 * 1024 * 1024,
  /** Files and folders in each place that a script may write to. */
  filesDefault: 16_384,
  /** Memory that a task may ask for; what the host has is another matter. */
  memoryBytesMax: 1024 ** 4,

  /** Report of an uncaught exception, local variables included. */
  exceptionBytesMax: 256 * 1024,
  exceptionFramesMax: 50,
  localsMax: 50,
  localBytesMax: 1024,
  exceptionMessageBytesMax: 16 * 1024,

  /** All that one task leaves, as MessagePack; the rest of a frame is for what else it shows. */
  resultBytesMax: 15 * 1024 * 1024 + 512 * 1024,

  /** Attempts of one task, the first included. */
  attemptsMax: 20,
  attemptsDefault: 3,
  /** Attempts that a task shows, the newest: sent again and again, it may have had any number. */
  attemptsKeptMax: 100,

  /** URL of a request; doubly encoded scripts are long. */
  urlBytesMax: 4 * 1024 * 1024,
  /** Body of a request to the HTTP daemon: code, stdin and the rest, as JSON escapes it. */
  bodyBytesMax: 12 * 1024 * 1024,
  /** Longest that a request may ask to be held with wait=SECONDS. */
  waitSecondsMax: 600,
} as const;

invariant(
  limits.codeBytesMax +
    limits.stdinBytesMax +
    limits.filesBytesMax +
    limits.argsAndEnvBytesMax +
    limits.checkBytesMax <
    limits.frameBytesMax - 1024 * 1024,
  'all that one task is given must fit into one frame',
);
invariant(
  2 * (limits.outputBytesMax + 2 * limits.outputTailBytes) +
    limits.collectBytesMax +
    limits.filesMax * limits.fileNameBytesMax +
    // Those that were not collected, as the worker cuts their names, with a reason each.
    limits.filesMax * (3 * limits.fileNameBytesMax + 512) +
    limits.exceptionBytesMax <
    limits.resultBytesMax,
  'a worker that does as it should leaves no more than it may',
);
invariant(
  limits.resultBytesMax < limits.frameBytesMax - 256 * 1024,
  'all that one task leaves must fit into one frame',
);
invariant(
  limits.filesMax * limits.fileDepthMax + 2 < limits.filesDefault,
  'all files that a task may be given, with their folders, find room where it does not ask',
);
invariant(
  limits.frameBytesBeforeProofMax < limits.frameBytesMax,
  'a peer without proof may send less than one with it',
);
