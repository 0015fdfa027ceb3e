import { resolveInterpreter } from '../interpreter.js';
import type { ProcessRuntime, RuntimeDefinition } from './runtime.js';

/** `bash script.sh ARGS`: not a login shell, so that no profile of the host is read. */
export async function bashRuntime(
  type: string,
  definition: RuntimeDefinition,
): Promise<ProcessRuntime> {
  const { path: file } = await resolveInterpreter({
    type,
    names: ['bash'],
    ...(definition.interpreter === undefined ? {} : { configured: definition.interpreter }),
    question: ['--norc', '-c', 'echo "$BASH"'],
    cure: 'install bash',
  });
  const scriptName = `script${definition.extension ?? '.sh'}`;
  return {
    kind: 'process',
    file,
    prefixes: [],
    scriptName,
    env: { ...definition.env },
    ...(definition.network && { network: definition.network }),
    argv: (args) => [file, scriptName, ...args],
  };
}
