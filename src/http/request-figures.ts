import { counter, type Family, histogram } from '../figures.js';
import { Histogram } from '../histogram.js';

/** Upper ends of buckets, in seconds. A request may be held for ten minutes. */
const durationSeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120, 600,
];

interface RouteFigures {
  readonly labels: { port: string; route: string; method: string };
  readonly seconds: Histogram;
  readonly byStatus: Map<number, number>;
}

/**
 * The requests of one port. There are as many series as routes and the methods that they take: what
 * was asked for without a route counts as one.
 */
export class RequestFigures {
  readonly #port: string;
  /** By method, and by route. */
  readonly #routes = new Map<string, Map<string, RouteFigures>>();

  constructor(port: 'http' | 'debug') {
    this.#port = port;
  }

  /**
   * @param route as it was registered; undefined: there is none
   * @param seconds from the head of the request to the end of its answer
   */
  answered(method: string, route = '(none)', status: number, seconds: number): void {
    // Any method can be sent to any route: only those that it takes are told apart.
    const isOwn = status !== 405 && route !== '(none)';
    const figures = this.#of(route, isOwn ? method : '(other)');
    figures.seconds.observe(seconds);
    figures.byStatus.set(status, (figures.byStatus.get(status) ?? 0) + 1);
  }

  /** Of several ports together. */
  static families(ports: readonly RequestFigures[]): Family[] {
    const routes = ports
      .flatMap((port) => [...port.#routes.values()])
      .flatMap((byRoute) => [...byRoute.values()]);
    return [
      counter(
        'scriptd_http_requests_total',
        'Answers, by port, route, method and status.',
        routes.flatMap(({ labels, byStatus }) =>
          [...byStatus].map(
            ([status, count]) => [{ ...labels, status: String(status) }, count] as const,
          ),
        ),
      ),
      histogram(
        'scriptd_http_request_duration_seconds',
        'From the head of a request to the end of its answer, waiting for a task included.',
        routes.map(({ labels, seconds }) => [labels, seconds]),
      ),
    ];
  }

  #of(route: string, method: string): RouteFigures {
    const byRoute = this.#routes.get(method) ?? new Map<string, RouteFigures>();
    const known = byRoute.get(route);
    if (known) return known;
    const labels = { port: this.#port, route, method };
    const figures = { labels, seconds: new Histogram(durationSeconds), byStatus: new Map() };
    this.#routes.set(method, byRoute.set(route, figures));
    return figures;
  }
}
