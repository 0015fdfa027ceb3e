import { counter, type Family, gauge, type Labels } from '../figures.js';
import type { Vitals } from '../vitals.js';

/** A process of the service, and how it does. */
export interface PartVitals {
  part: 'http' | 'controller' | 'worker';
  name: string;
  vitals: Vitals;
}

const memory = {
  rss: 'resident',
  heapTotal: 'heap_total',
  heapUsed: 'heap_used',
  external: 'external',
  arrayBuffers: 'array_buffers',
} as const satisfies Record<keyof Vitals['memoryBytes'], string>;

/** What is shown of each process: by the part that it is, and its name. */
export function partFamilies(parts: readonly PartVitals[]): Family[] {
  const each = (value: (vitals: Vitals) => number) =>
    parts.map(({ part, name, vitals }) => [{ part, name }, value(vitals)] as const);
  const several = (values: (vitals: Vitals) => readonly (readonly [Labels, number])[]) =>
    parts.flatMap(({ part, name, vitals }) =>
      values(vitals).map(([labels, value]) => [{ part, name, ...labels }, value] as const),
    );
  return [
    gauge(
      'scriptd_process_uptime_seconds',
      'Since the process began.',
      each(({ uptimeSeconds }) => uptimeSeconds),
    ),
    counter(
      'scriptd_process_cpu_seconds_total',
      'Processor time of the process itself, without the scripts.',
      several(({ cpuSeconds: { user, system } }) => [
        [{ mode: 'user' }, user],
        [{ mode: 'system' }, system],
      ]),
    ),
    gauge(
      'scriptd_process_memory_bytes',
      'Memory of the process itself: resident is all of it, heap_used what JavaScript holds.',
      several(({ memoryBytes }) =>
        Object.entries(memory).map(([key, of]) => [
          { of },
          memoryBytes[key as keyof typeof memory],
        ]),
      ),
    ),
    gauge(
      'scriptd_process_open_files',
      'Open descriptors.',
      each(({ openFiles }) => openFiles),
    ),
    counter(
      'scriptd_event_loop_active_seconds_total',
      'Time that the event loop was busy; its rate is how busy.',
      each(({ eventLoop }) => eventLoop.activeSeconds),
    ),
    gauge(
      'scriptd_event_loop_lag_seconds',
      'How late timers came, in the last window of 5 s.',
      several(({ eventLoop: { delayMs } }) =>
        (['mean', 'p50', 'p99', 'max'] as const).map((stat) => [{ stat }, delayMs[stat] / 1000]),
      ),
    ),
    counter(
      'scriptd_epoll_wakeups_total',
      'Times that epoll had events to give.',
      each(({ poller }) => poller.wakeUps),
    ),
    counter(
      'scriptd_epoll_events_total',
      'Events that it gave.',
      each(({ poller }) => poller.events),
    ),
    counter(
      'scriptd_epoll_stale_events_total',
      'Of them, those of handles that were closed by then.',
      each(({ poller }) => poller.staleEvents),
    ),
    counter(
      'scriptd_epoll_calls_total',
      'System calls on what is in the epoll set.',
      several(({ poller: { readCalls, writeCalls } }) => [
        [{ call: 'read' }, readCalls],
        [{ call: 'write' }, writeCalls],
      ]),
    ),
    counter(
      'scriptd_epoll_bytes_total',
      'Bytes that they moved.',
      several(({ poller: { readBytes, writtenBytes } }) => [
        [{ call: 'read' }, readBytes],
        [{ call: 'write' }, writtenBytes],
      ]),
    ),
    gauge(
      'scriptd_epoll_handles',
      'Sockets, pipes, listeners, timers and processes in the epoll set.',
      each(({ poller }) => poller.openHandles),
    ),
  ];
}
