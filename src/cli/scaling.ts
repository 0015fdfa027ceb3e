import type { Config } from '../config/settings.js';
import { ScriptdError } from '../errors.js';
import { ruleOf, type ScalingRule } from '../scaling/rule.js';

/**
 * How many workers there may be of each type: one, where nothing is said of it.
 *
 * @throws ScriptdError BAD_CONFIG
 */
export function scalingRules({ workers, scaling }: Config): Map<string, ScalingRule> {
  for (const type of Object.keys(scaling)) {
    if (Object.hasOwn(workers, type)) continue;
    const text = `\`scaling.${type}\`: there are no workers of that type`;
    throw new ScriptdError('BAD_CONFIG', `${text}: add \`${type}\` to \`workers\`, with its slots`);
  }
  return new Map(
    Object.entries(workers).map(([type, slots]) => [
      type,
      ruleOf(type, slots, scaling[type] ?? { min: 1, max: 1 }),
    ]),
  );
}

/**
 * Where somebody else starts the workers, bounds for their number would do nothing.
 *
 * @throws ScriptdError BAD_CONFIG
 */
export function refuseScaling({ scaling }: Config): void {
  const [type] = Object.keys(scaling);
  if (type === undefined) return;
  throw new ScriptdError(
    'BAD_CONFIG',
    `\`scaling.${type}\` has no effect where the manager is none: leave it out, ` +
      'or set `manager: local`',
  );
}
