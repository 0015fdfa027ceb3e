import { ScriptdError } from '../../errors.js';
import { bashRuntime } from './bash.js';
import { commandRuntime } from './command.js';
import { nodeRuntime } from './node.js';
import { pythonRuntime } from './python.js';
import type { Runtime, RuntimeDefinition } from './runtime.js';

type Kind = NonNullable<RuntimeDefinition['kind']>;
type Resolve = (
  type: string,
  definition: RuntimeDefinition,
  workDirectory: string,
) => Runtime | Promise<Runtime>;

const runtimes = {
  python: pythonRuntime,
  node: nodeRuntime,
  bash: bashRuntime,
  noop: () => ({ kind: 'noop' }),
  command: commandRuntime,
} satisfies Record<Kind, Resolve>;

/** Types that run without any configuration. */
export const builtInTypes: readonly string[] = Object.keys(runtimes).filter(
  (kind) => kind !== 'command',
);

/**
 * Finds out, once at start, how a type is executed.
 *
 * @param workDirectory of the worker: what is made for the runtime lies in it
 * @throws ScriptdError RUNTIME_MISSING (its program is not there; the message has the cure),
 *   RUNTIME_INVALID (the definition makes no sense).
 */
export async function resolveRuntime(
  type: string,
  definition: RuntimeDefinition,
  workDirectory: string,
): Promise<Runtime> {
  const { extension = '' } = definition;
  if (!/^(\.[A-Za-z0-9_-]{1,16})?$/.test(extension)) {
    const text = `type ${type}: extension must be like .rb, not ${JSON.stringify(extension)}`;
    throw new ScriptdError('RUNTIME_INVALID', text);
  }
  return await runtimes[kindOf(type, definition)](type, definition, workDirectory);
}

function kindOf(type: string, definition: RuntimeDefinition): Kind {
  if (definition.kind !== undefined) return definition.kind;
  if (definition.command !== undefined) return 'command';
  return builtInTypes.includes(type) ? (type as Kind) : 'command';
}
