import { type Baseline, engine, type Recorded } from './baseline.js';
import type { Findings } from './quantity.js';

export type Verdict =
  | 'as before'
  | 'worse'
  | 'better'
  | 'not recorded'
  | 'not measured here'
  | 'not comparable here';

/** One line of the guard's table. */
export interface Judgement {
  name: string;
  verdict: Verdict;
  recorded?: Recorded;
  now?: number;
  tolerance?: number;
  /** Of what was not measured. */
  why?: string;
}

/** What a change is worth at least, as a part of the baseline. */
const worthwhile = 0.01;
/**
 * The same of what V8 compiled: an edit elsewhere has it inline the same source in other ways, which no
 * repetition of one build shows. Up to 6 % were seen between two versions.
 */
const worthwhileCompiled = 0.1;
/**
 * The same of a script's run: its wake-ups are fewer or more as time has it, by more than a second run of the
 * same code showed. A step more of a run costs several calls.
 */
const worthwhileOfRuns = 0.04;
/** Figures per task or operation are sums over many: this much of one is a rounding of them. */
const resolution = 0.05;

/** How far above the baseline a measurement has to lie to be a loss. */
export function toleranceOf(name: string, { value, noise }: Recorded): number {
  const isOfRuns = name.startsWith('system calls: worker, per python run');
  const least = isCompiled(name) ? worthwhileCompiled : isOfRuns ? worthwhileOfRuns : worthwhile;
  return Math.max(noise, value * least, resolution);
}

function isCompiled(name: string): boolean {
  return /^(instructions|allocated bytes):/.test(name);
}

/** Judges one measurement of one quantity. */
export function judge(name: string, recorded: Recorded | undefined, now: number): Judgement {
  if (!recorded) return { name, verdict: 'not recorded', now };
  const tolerance = toleranceOf(name, recorded);
  const change = now - recorded.value;
  const verdict = change > tolerance ? 'worse' : change < -tolerance ? 'better' : 'as before';
  return { name, verdict, recorded, now, tolerance };
}

/** Judges all that was measured, and names what the baseline has beside it. */
export function judgeAll(baseline: Baseline, findings: Findings): Judgement[] {
  const judged = [...findings.values].map(([name, now]) => {
    const why = incomparable(baseline, name) ?? otherCgroups(baseline, name);
    if (why) return { name, verdict: 'not comparable here', why } as const;
    return judge(name, baseline.quantities[name], now);
  });
  const missing = Object.entries(baseline.quantities)
    .filter(([name]) => !findings.values.has(name) && !findings.values.has(ofOtherCgroups(name)))
    .map(([name, recorded]): Judgement => {
      const found = findings.unmeasured.find(({ of }) => name.startsWith(of));
      const why = found?.why ?? 'no probe measures it on this host: it is of another, or is gone';
      return { name, verdict: 'not measured here', recorded, why };
    });
  return [...judged, ...missing];
}

/** Why a quantity says nothing about the one of that name in the baseline. */
function incomparable(baseline: Baseline, name: string): string | undefined {
  if (!isCompiled(name)) return undefined;
  const was = `V8 ${baseline.v8} on ${baseline.arch}`;
  const is = `V8 ${engine()} on ${process.arch}`;
  return was === is ? undefined : `the baseline is of ${was}, and this is ${is}`;
}

/** The same figure where the kernel has the other version of cgroups. */
function ofOtherCgroups(name: string): string {
  return name.replace(/cgroup v([12])$/, (_, version) => `cgroup v${version === '1' ? 2 : 1}`);
}

function otherCgroups(baseline: Baseline, name: string): string | undefined {
  const other = ofOtherCgroups(name);
  if (other === name || baseline.quantities[name] || !baseline.quantities[other]) return undefined;
  return `the baseline has ${other.slice(-9)} instead`;
}

/** Whether the guard fails: for a loss, and where all has to be measured for what was not. */
export function fails(judgements: readonly Judgement[], { all }: { all: boolean }): boolean {
  return judgements.some(({ verdict }) => {
    const unseen = verdict === 'not measured here' || verdict === 'not recorded';
    return verdict === 'worse' || (all && unseen);
  });
}
