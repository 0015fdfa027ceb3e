import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage, ScriptdError } from '../../errors.js';
import { resolveInterpreter } from '../interpreter.js';
import { workerLimits } from '../limits.js';
import type { Raised } from '../verdict.js';
import { bootstraps } from './bootstraps.js';
import type { ProcessRuntime, RuntimeDefinition } from './runtime.js';

/** Variables that change how Python, libc or a library that is loaded with them starts. */
const startVariables = /^(PYTHON|LD_|MALLOC_|GLIBC_|LANG|LC_|OPENSSL_|SSL_CERT_)/;

/**
 * `python3 script.py ARGS`: `__name__` is `__main__`, sys.argv and sys.path are as usual.
 *
 * PYTHONUTF8 makes text UTF-8 whatever the host's locale (PEP 540). PYTHONDONTWRITEBYTECODE keeps a
 * script from writing into the interpreter's own site-packages; what it would write into the work
 * directory is gone afterwards anyway. PYTHONUNBUFFERED keeps what a script printed before it was
 * killed at a limit; one that prints much and fast may set it to '' in its env.
 */
export async function pythonRuntime(
  type: string,
  definition: RuntimeDefinition,
  workDirectory: string,
): Promise<ProcessRuntime> {
  const { path: file, answer } = await resolveInterpreter({
    type,
    names: ['python3', 'python'],
    ...(definition.interpreter === undefined ? {} : { configured: definition.interpreter }),
    // Not realpath: the prefix of a virtual environment hangs on the name of its symlink.
    question: [
      '-I',
      '-S',
      '-c',
      'import sys; print(sys.executable); print(sys.prefix); print(sys.base_prefix)',
    ],
    cure: 'install python3',
  });
  const scriptName = `script${definition.extension ?? '.py'}`;
  const folder = await compileBootstrap(type, file, join(workDirectory, 'bootstrap'));
  const { preload = [], aslr = 'shared' } = definition;
  return {
    kind: 'process',
    file,
    prefixes: answer.slice(1, 3),
    scriptName,
    env: {
      PYTHONUTF8: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
      ...definition.env,
    },
    bootstrap: {
      folder,
      argv: (place) => [file, `${place}/boot.pyc`],
      startVariables,
      takesLimits: true,
      ...(aslr === 'shared' && {
        forkServer: (library: string) => [
          file,
          join(folder, 'boot.pyc'),
          '--serve',
          library,
          ...preload,
        ],
      }),
    },
    ...(definition.network && { network: definition.network }),
    argv: (args) => [scriptName, ...args],
    raisedExitCode: 1,
    raised: (stderr) => pythonException(stderr, scriptName),
  };
}

/** Compiles the bootstrap for this very interpreter. @throws ScriptdError RUNTIME_MISSING */
async function compileBootstrap(type: string, python: string, folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await promisify(execFile)(
      python,
      ['-I', join(bootstraps, 'python/boot.py'), '--compile', folder],
      {
        timeout: workerLimits.resolveMs,
      },
    );
  } catch (cause) {
    const text = `type ${type}: ${python} cannot compile scriptd's program for it to ${folder}`;
    throw new ScriptdError('RUNTIME_MISSING', `${text}: ${errorMessage(cause)}`, { cause });
  }
  return folder;
}

/** The header of a traceback that is not part of an exception group's. */
const header = /^Traceback \(most recent call last\):$/gm;
/** A type, dotted when it is not a builtin, and its message. */
const summary = /^([A-Za-z_][\w.]*)(?:: ?([\s\S]*))?$/;
/** Raised by the compiler, reported without a header. */
const compilerReport = /^(?:SyntaxError|IndentationError|TabError): .*$/m;

/**
 * The exception that ended a script, read from the report at the end of its stderr: the traceback
 * module's format, https://docs.python.org/3/library/traceback.html.
 */
export function pythonException(stderr: string, scriptName: string): Raised | undefined {
  const text = stderr.trimEnd();
  let start = -1;
  for (const match of text.matchAll(header)) start = match.index;
  const report = start < 0 ? syntaxReport(text) : text.slice(text.indexOf('\n', start) + 1);
  if (report === undefined) return undefined;
  // Frames are indented; the first line that is not begins the summary, which goes to the end.
  const lines = report.split('\n');
  const first = lines.findIndex((line) => !/^\s/.test(line) && line !== '');
  const match = summary.exec(lines.slice(Math.max(first, 0)).join('\n'));
  if (first < 0 || !match?.[1]) return undefined;
  const line = lastLine(lines.slice(0, first), scriptName);
  const raised = { type: match[1].split('.').at(-1) ?? match[1], message: match[2] ?? '' };
  return line === undefined ? raised : { ...raised, line };
}

/** From the `File` line on, of a report that consists of nothing else. */
function syntaxReport(text: string): string | undefined {
  const lines = text.split('\n');
  if (!compilerReport.test(lines.at(-1) ?? '')) return undefined;
  const start = lines.findLastIndex((line) => line.startsWith('  File "'));
  return start < 0 ? undefined : lines.slice(start).join('\n');
}

/** The innermost frame that lies in the script itself. */
function lastLine(frames: string[], scriptName: string): number | undefined {
  const frame = frames.findLast(
    (line) => line.includes(`/${scriptName}", line `) || line.includes(`"${scriptName}", line `),
  );
  const number = frame && /", line (\d+)/.exec(frame)?.[1];
  return number === undefined ? undefined : Number(number);
}
