import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { ScriptdError } from '../../errors.js';
import { resolveCommand } from '../interpreter.js';
import type { ProcessRuntime, RuntimeDefinition } from './runtime.js';

const placeholder = '{script}';

/**
 * Any program from the configuration: `command` with `{script}` replaced by the script's file name,
 * or that name after it, and then the task's arguments.
 *
 * @throws ScriptdError RUNTIME_INVALID, RUNTIME_MISSING.
 */
export function commandRuntime(type: string, definition: RuntimeDefinition): ProcessRuntime {
  const [program, ...rest] = definition.command ?? [];
  if (!program) {
    throw new ScriptdError(
      'RUNTIME_INVALID',
      `type ${type}: no such runtime is built in; give its command, ` +
        `e.g. command: [ruby, "${placeholder}"]`,
    );
  }
  const file = resolveCommand(type, program);
  const scriptName = `script${definition.extension ?? ''}`;
  const words = rest.some((word) => word.includes(placeholder)) ? rest : [...rest, placeholder];
  const fixed = words.map((word) => word.replaceAll(placeholder, scriptName));
  return {
    kind: 'process',
    file,
    prefixes: [dirname(realpathSync(file))],
    scriptName,
    env: { ...definition.env },
    ...(definition.network && { network: definition.network }),
    argv: (args) => [file, ...fixed, ...args],
  };
}
