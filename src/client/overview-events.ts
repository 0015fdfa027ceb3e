import type { OverviewEvent } from './overview.js';
import type { Requests } from './requests.js';
import { streamOf } from './streams.js';

/** How the service stands, whenever it is another, until the signal. */
export async function* overviewEventsOf(
  requests: Requests,
  signal: AbortSignal | undefined,
): AsyncGenerator<OverviewEvent> {
  const path = '/v1/overview/events';
  for await (const { event, data } of streamOf(requests, { path, isLast: () => false, signal })) {
    yield { event, data } as OverviewEvent;
  }
}
