import { limits as builtIn } from '../limits.js';
import type { Limits, LimitsAsked, Network } from '../task.js';

/** What tasks of one type get, and the most that they may ask for. */
export interface Policy {
  readonly network: Network;
  /** What a task gets that does not ask; what is built in comes after it. */
  readonly defaults: LimitsAsked;
  /** Those above which a task is refused. */
  readonly maxima: LimitsAsked;
}

/** How the configuration describes the policy of a type. All of it may be left out. */
export interface PolicyDefinition {
  network?: Network;
  limits?: LimitsAsked;
  limitsMax?: LimitsAsked;
}

/** @param shared the defaults of all types, which come after those of this one */
export function policyFrom(definition: PolicyDefinition = {}, shared: LimitsAsked = {}): Policy {
  const { network = 'none', limits, limitsMax = {} } = definition;
  return { network, defaults: { ...shared, ...limits }, maxima: limitsMax };
}

export type LimitName = keyof Limits;

/** The first limit that is asked for above its maximum, if any. */
export function excessOf(
  asked: LimitsAsked,
  { maxima }: Policy,
): { name: LimitName; asked: number; most: number } | undefined {
  for (const [name, most] of Object.entries(maxima) as [LimitName, number][]) {
    const value = asked[name];
    if (value !== undefined && value > most) return { name, asked: value, most };
  }
  return undefined;
}

/**
 * The limits that hold for a task that asks for these: what it asks for, else what its type gives,
 * else what is built in. A default above the maximum is lowered to it.
 *
 * memoryBytes and files are absent when neither task nor configuration speak of them: the worker
 * knows whether it can hold memory itself to a limit, or address space only, of which an interpreter
 * like node takes much more than it uses.
 */
export function grantedLimits(asked: LimitsAsked, { defaults, maxima }: Policy): Limits {
  const standard: Limits = {
    wallMs: builtIn.wallMsDefault,
    cpuMs: builtIn.cpuMsDefault,
    outputBytes: builtIn.outputBytesDefault,
    diskBytes: builtIn.diskBytesDefault,
    openFiles: builtIn.openFilesDefault,
    processes: builtIn.processesDefault,
    // A maximum must hold for whoever does not ask, too.
    ...(maxima.memoryBytes !== undefined && { memoryBytes: builtIn.memoryBytesDefault }),
    ...(maxima.files !== undefined && { files: builtIn.filesDefault }),
    ...defaults,
  };
  const wallMs = asked.wallMs ?? Math.min(standard.wallMs, maxima.wallMs ?? standard.wallMs);
  // Who is given more real time may compute for as long.
  if (defaults.cpuMs === undefined) standard.cpuMs = Math.max(standard.cpuMs, wallMs);
  for (const [name, most] of Object.entries(maxima) as [LimitName, number][]) {
    standard[name] = Math.min(standard[name] ?? most, most);
  }
  return { ...standard, ...asked };
}
