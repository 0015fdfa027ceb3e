import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { serviceNowMs } from '../service/now.js';

/** What ages are counted to: the time of the service, milliseconds since 1970. It goes on while somebody uses `useClock`. */
export const nowMs = signal(serviceNowMs());

const stepMs = 1_000;
let users = 0;
let timer = 0;

/** Has `nowMs` go on while the component is there. */
export function useClock(): void {
  useEffect(() => {
    users += 1;
    nowMs.value = serviceNowMs();
    if (users === 1) timer = window.setInterval(() => (nowMs.value = serviceNowMs()), stepMs);
    return () => {
      users -= 1;
      if (users === 0) window.clearInterval(timer);
    };
  }, []);
}
