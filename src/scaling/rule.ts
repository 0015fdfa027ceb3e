import { ScriptdError } from '../errors.js';

/** Between what bounds the number of workers of one type follows the load, and how fast. */
export interface ScalingRule {
  /** Workers that there are without any load. 0: the first task starts one. */
  min: number;
  /** Workers that there are at most, those that drain included. */
  max: number;
  /** Tasks that one worker runs at once. */
  slots: number;
  /** Tasks, running or ready to run, for each slot: above it workers are added. */
  upLoad: number;
  /** Below it workers are taken away. Less than `upLoad`: between the two nothing changes. */
  downLoad: number;
  /** Fewer workers must have been enough for so long before one is taken away. Milliseconds. */
  cooldownMs: number;
}

export const defaultRule = { upLoad: 1, downLoad: 0.7, cooldownMs: 60_000 } as const;

/**
 * The rule of a type whose bounds are set.
 *
 * @throws ScriptdError BAD_CONFIG when the bounds contradict each other
 */
export function ruleOf(
  type: string,
  slots: number,
  bounds: Pick<ScalingRule, 'min' | 'max'> & {
    [Name in keyof typeof defaultRule]?: number | undefined;
  },
): ScalingRule {
  const { min, max } = bounds;
  const upLoad = bounds.upLoad ?? defaultRule.upLoad;
  const downLoad = bounds.downLoad ?? Math.min(defaultRule.downLoad, upLoad * 0.7);
  const cooldownMs = bounds.cooldownMs ?? defaultRule.cooldownMs;
  if (min > max) {
    const text = `\`scaling.${type}.min\` is ${min}, above \`max\` (${max})`;
    throw new ScriptdError('BAD_CONFIG', `${text}: lower the one or raise the other`);
  }
  if (downLoad >= upLoad) {
    const text = `\`scaling.${type}.downLoad\` is ${downLoad}, not below \`upLoad\` (${upLoad})`;
    throw new ScriptdError('BAD_CONFIG', `${text}: workers would come and go at the same load`);
  }
  return { min, max, slots, upLoad, downLoad, cooldownMs };
}
