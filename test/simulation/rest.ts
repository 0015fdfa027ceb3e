import { type Hand, roundingMs, type Tally } from './tally.js';
import { must } from './violation.js';

/** Workers up to which all pairs of them are looked at. */
const pairedMax = 100;

/** Could be dispatched, as far as can be told from outside. */
export function isReady(tally: Tally, nowMs: number): boolean {
  return tally.state === 'pending' && !tally.retried && tally.readyAtMs <= nowMs - roundingMs;
}

/** Nothing that could go on has been left lying. O(tasks + workers²). */
export function checkRest(
  tallies: ReadonlyMap<string, Tally>,
  hands: ReadonlyMap<string, Hand>,
  paused: ReadonlySet<string>,
  nowMs: number,
): void {
  const free = new Set<string>();
  for (const { type, slots, load, draining } of hands.values()) {
    if (!draining && load.size < slots && !paused.has(type)) free.add(type);
  }
  for (const tally of tallies.values()) {
    if (tally.state === 'running' && tally.cancelAskedAtMs !== undefined) {
      const told = tally.stopped || !hands.has(tally.workerId ?? '');
      must(told, 'a cancelled task was not told to stop');
    }
    if (tally.state !== 'pending') continue;
    must(tally.expiresAtMs > nowMs - roundingMs, 'a task outlived its time to live');
    const idle = free.has(tally.script.type) && isReady(tally, nowMs);
    must(!idle, 'a task waits although a slot is free');
  }
  if (hands.size < pairedMax) checkLevel(tallies, hands, free);
}

/** No task waits on one worker while another has nothing to do. */
function checkLevel(
  tallies: ReadonlyMap<string, Tally>,
  hands: ReadonlyMap<string, Hand>,
  free: ReadonlySet<string>,
): void {
  const running = [...tallies.values()].filter(({ state }) => state === 'running');
  for (const { type, slots, load, adopted, id } of hands.values()) {
    if (load.size <= slots || adopted || !free.has(type)) continue;
    const crew = [...hands.values()].filter((hand) => hand.type === type && !hand.draining);
    const spare = ({ slots, load }: Hand) => Math.max(0, slots - load.size);
    const slotsFree = crew.reduce((sum, hand) => sum + spare(hand), 0);
    const recalled = running.filter((tally) => tally.recalled && tally.script.type === type).length;
    const ask = running.filter((tally) => tally.workerId === id && !tally.recalled);
    // Those that were told to end may be the ones without a slot.
    const all = ask.filter(({ stopped }) => !stopped).length === load.size;
    must(!all || slotsFree <= recalled, 'a task waits on one worker while another has a slot free');
  }
}
