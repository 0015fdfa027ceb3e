import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { overview } from '../api/overview.js';

const tickMs = 1_000;

/** How far the service's clock is ahead of this computer's, as of the last overview. Milliseconds. */
let aheadMs = 0;
const now = signal(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

effect(() => {
  const seen = overview.value;
  if (seen) aheadMs = Date.parse(seen.at) - Date.now();
});

/** What time it is for the service. Milliseconds since 1970. */
export function serviceNowMs(): number {
  return Date.now() + aheadMs;
}

function tick(): void {
  now.value = serviceNowMs();
}

/**
 * The same, going on: what uses it is drawn again every second. While nothing does, no clock runs.
 */
export function useNow(): number {
  useEffect(() => {
    watchers += 1;
    if (watchers === 1) {
      tick();
      timer = setInterval(tick, tickMs);
    }
    return () => {
      watchers -= 1;
      if (watchers === 0) clearInterval(timer);
    };
  }, []);
  return now.value;
}
