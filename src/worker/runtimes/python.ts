import { resolveInterpreter } from '../interpreter.js';
import type { Raised } from '../verdict.js';
import type { ProcessRuntime, RuntimeDefinition } from './runtime.js';

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
    argv: (args) => [file, scriptName, ...args],
    raisedExitCode: 1,
    raised: (stderr) => pythonException(stderr, scriptName),
  };
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
