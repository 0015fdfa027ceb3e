import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, ScriptdError } from '../errors.js';
import { type Family, gauge } from '../figures.js';
import { packageRoot } from '../native.js';
import type { VitalSigns } from '../vitals.js';
import { trafficFamilies } from '../wire/traffic.js';
import type { ControllerPort, Measured } from './controller-port.js';
import { httpLimits } from './limits.js';
import { type PartVitals, partFamilies } from './part-families.js';
import { RequestFigures } from './request-figures.js';

export interface MeasurementsOptions {
  controller: ControllerPort;
  /** Of every port. */
  requests: readonly RequestFigures[];
  vitals: VitalSigns;
}

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
};

/** What one look at the whole service found. */
export interface Measurement {
  families: Family[];
  /** This daemon first; the controller and its workers when it answered. */
  parts: PartVitals[];
  /** Why there is nothing of the controller, if so. */
  controllerFault: string | undefined;
}

/** The figures of this daemon, with those of the controller and its workers as far as it answers. */
export class Measurements {
  readonly #options: MeasurementsOptions;
  /** Looks that come meanwhile share it: whoever looks often asks the controller no more often. */
  #asked: Promise<Measured> | undefined;

  constructor(options: MeasurementsOptions) {
    this.#options = options;
  }

  /** Comes soon, whether or not the controller is there. */
  async read(): Promise<Measurement> {
    const { controller, requests, vitals } = this.#options;
    const measured = await this.#measured().catch((error: unknown) => {
      if (error instanceof ScriptdError) return error;
      throw error;
    });
    const isUp = !(measured instanceof ScriptdError);
    const own = { part: 'http' as const, name: 'http', vitals: vitals.read() };
    const parts = [own, ...(isUp ? measured.parts : [])];
    const families = [
      gauge('scriptd_build_info', 'Always 1. What runs here.', [
        [{ version, node: process.versions.node, arch: process.arch }, 1],
      ]),
      gauge('scriptd_controller_up', '1 when the controller answered this daemon just now.', [
        [{}, isUp ? 1 : 0],
      ]),
      gauge(
        'scriptd_http_controller_requests_waiting',
        'Requests of this daemon that the controller has not answered.',
        [[{}, controller.waiting]],
      ),
      ...RequestFigures.families(requests),
      ...trafficFamilies('http', { controller: controller.traffic }),
      ...(isUp ? measured.families : []),
      ...partFamilies(parts),
    ];
    return { families, parts, controllerFault: isUp ? undefined : errorMessage(measured) };
  }

  #measured(): Promise<Measured> {
    const { controller } = this.#options;
    if (!controller.connected) {
      const text = 'there is no connection to the controller';
      return Promise.reject(new ScriptdError('CONTROLLER_UNAVAILABLE', text));
    }
    this.#asked ??= controller.measure().finally(() => {
      this.#asked = undefined;
    });
    return soon(this.#asked);
  }
}

/** @throws ScriptdError CONTROLLER_UNAVAILABLE when it takes too long. */
async function soon<T>(answer: Promise<T>): Promise<T> {
  const waitMs = httpLimits.measureWaitMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const text = `the controller did not answer within ${waitMs} ms`;
      reject(new ScriptdError('CONTROLLER_UNAVAILABLE', text));
    }, waitMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
