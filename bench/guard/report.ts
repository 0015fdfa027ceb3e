import type { Baseline } from './baseline.js';
import { type Judgement, toleranceOf } from './verdict.js';

const nameWidth = 50;
const numberWidth = 12;

/** The table: quantity, baseline, now, tolerance, verdict. */
export function tableOf(judgements: readonly Judgement[]): string {
  const head = row('quantity', ['baseline', 'now', 'tolerance'], 'verdict');
  return [head, ...judgements.map(lineOf)].join('\n');
}

function lineOf({ name, recorded, now, tolerance, verdict, why }: Judgement): string {
  const numbers = [recorded?.value, now, tolerance].map((value) => {
    return value === undefined ? '-' : numberText(value);
  });
  const change = recorded && now !== undefined ? ` (${percentText(recorded.value, now)})` : '';
  const told = verdict === 'as before' ? '' : change;
  return row(name, numbers, `${verdict}${told}${why ? `: ${why}` : ''}`);
}

function row(name: string, numbers: readonly string[], verdict: string): string {
  const columns = numbers.map((text) => text.padStart(numberWidth)).join('');
  return `${name.padEnd(nameWidth)}${columns}  ${verdict}`;
}

/** What is to be done about it; nothing when there is nothing. */
export function adviceOf(judgements: readonly Judgement[]): string[] {
  const names = (verdict: Judgement['verdict']) => {
    return judgements.filter((one) => one.verdict === verdict).map(({ name }) => name);
  };
  const worse = judgements.filter(({ verdict }) => verdict === 'worse');
  const advice = worse.map(({ name, recorded, now = Number.NaN, tolerance = Number.NaN }) => {
    const was = recorded?.value ?? Number.NaN;
    const by = `${numberText(now - was)} (${percentText(was, now)})`;
    return `WORSE: ${name} by ${by}, in every measurement; noise explains ${numberText(tolerance)}`;
  });
  if (worse.length > 0) {
    advice.push(
      'To look further: `strace -f -c -p PID` of the part for system calls, `node --cpu-prof` or',
      '`--heap-prof` of `npm run bench -- frames` or `submit` for instructions and bytes, on this',
      'commit and on the one before. If the loss buys something that is worth it, record it with',
      'the change that causes it: npm run bench:guard -- --record --reason "what it buys"',
    );
  }
  if (names('better').length > 0) {
    advice.push('Better than recorded: npm run bench:guard -- --record --reason "…" keeps it so.');
  }
  if (names('not recorded').length > 0) {
    advice.push(`Not in the baseline, to be recorded: ${names('not recorded').join('; ')}`);
  }
  return advice;
}

/** What was recorded: each quantity, its noise, and the least loss that the guard would see. */
export function recordedTable({ quantities }: Baseline): string {
  const lines = Object.entries(quantities).map(([name, recorded]) => {
    const tolerance = toleranceOf(name, recorded);
    const numbers = [recorded.value, recorded.noise, tolerance].map(numberText);
    return row(name, numbers, percentText(recorded.value, recorded.value + tolerance));
  });
  return [row('quantity', ['baseline', 'noise', 'tolerance'], 'seen from'), ...lines].join('\n');
}

function numberText(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return Number.isInteger(value) ? `${value}` : value.toFixed(value < 1 ? 3 : 2);
}

function percentText(was: number, now: number): string {
  const percent = ((now - was) / was) * 100;
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)} %`;
}
