import { dirname, join } from 'node:path';
import { resolveInterpreter } from '../interpreter.js';
import type { Raised } from '../verdict.js';
import { bootstraps } from './bootstraps.js';
import type { ProcessRuntime, RuntimeDefinition } from './runtime.js';

/**
 * `node script.js ARGS`: what `node file.js` does outside of any package. CommonJS, so `require`
 * works; a script with `import` or top-level `await` is taken as a module where this node detects
 * them (https://nodejs.org/api/packages.html#syntax-detection).
 *
 * A package.json beside the work directories keeps one further up from deciding that.
 */
export async function nodeRuntime(
  type: string,
  definition: RuntimeDefinition,
): Promise<ProcessRuntime> {
  const { path: file, answer } = await resolveInterpreter({
    type,
    names: ['node'],
    ...(definition.interpreter === undefined ? {} : { configured: definition.interpreter }),
    fallback: process.execPath,
    question: [
      '-e',
      'console.log(process.execPath);' +
        'console.log(process.allowedNodeEnvironmentFlags.has("--disable-warning"))',
    ],
    cure: 'install node',
  });
  // Newer ones say in stderr that the package.json names no type; it is not the script's.
  const flags = answer[1] === 'true' ? ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'] : [];
  const scriptName = `script${definition.extension ?? '.js'}`;
  return {
    kind: 'process',
    file,
    prefixes: [dirname(dirname(file))],
    scriptName,
    env: { ...definition.env },
    rootFiles: { 'package.json': '{}\n' },
    bootstrap: {
      folder: join(bootstraps, 'node'),
      argv: (place) => [file, ...flags, '--require', `${place}/boot.cjs`, scriptName],
      startVariables: /^(NODE_|LD_|MALLOC_|GLIBC_|LANG|LC_|TZ$|UV_|OPENSSL_|SSL_CERT_|ICU_)/,
      takesLimits: false,
    },
    ...(definition.network && { network: definition.network }),
    argv: (args) => [scriptName, ...args],
    raisedExitCode: 1,
    raised: (stderr) => nodeException(stderr, scriptName),
  };
}

/** Bounded everywhere: a script may write anything there, and open ends take quadratic time. */
const footer = /\n\nNode\.js v\d{1,4}\.\d{1,4}\.\d{1,4}\S{0,64}$/;
/** Points into the source line that is quoted above it. */
const carets = /^\s*\^+\s*$/;
/** Where the report begins: file and line of what threw. */
const place = /^(?:node:|file:|\/|\[).*:\d+$/;

/**
 * The exception that ended a script, read from the report at the end of its stderr: place, source
 * line, carets, stack, and the version of node.
 */
export function nodeException(stderr: string, scriptName: string): Raised | undefined {
  const text = stderr.trimEnd();
  const end = text.search(footer);
  if (end < 0) return undefined;
  const lines = text.slice(0, end).split('\n');
  const pointer = lines.findLastIndex((line) => carets.test(line));
  if (pointer < 0) return { message: 'an exception that it did not catch' };
  const begin = lines.findLastIndex((line, index) => index < pointer && place.test(line));
  const after = lines.slice(pointer + 1);
  const stack = after.findIndex((line) => line.startsWith('    at ') || line.startsWith('(Use '));
  const report = after
    .slice(0, stack < 0 ? undefined : stack)
    .join('\n')
    .trim();
  const match = /^(?:Uncaught:?\s+)?([A-Z]\w*)(?: \[\w+\])?(?:: ([\s\S]*))?$/.exec(report);
  const raised: Raised = match?.[1]
    ? { type: match[1], message: match[2] ?? '' }
    : { message: report.replace(/^Uncaught:?\s+/, '') };
  const line = lineOf(lines.slice(Math.max(begin, 0)), scriptName);
  return line === undefined ? raised : { ...raised, line };
}

function lineOf(lines: string[], scriptName: string): number | undefined {
  const marked = `/${scriptName}:`;
  const line = lines.find((text) => text.includes(marked));
  const number = line && /^\d+/.exec(line.slice(line.indexOf(marked) + marked.length))?.[0];
  return number === undefined || number === '' ? undefined : Number(number);
}
