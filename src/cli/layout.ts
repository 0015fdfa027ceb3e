import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/settings.js';
import { readWireToken, type WireToken } from '../wire/token.js';

/** Where the parts of one installation find each other and keep their things. */
export interface Layout {
  dataDir: string;
  /** Of sockets. */
  runDir: string;
  /** Work directories of running scripts. */
  workDir: string;
  /** Of the durable store. */
  storeDir: string;
  controllerAddress: string;
  wireTokenFile: string;
  webhookSecretFile: string;
  workerAddress(name: string): string;
}

export function layoutOf(config: Config): Layout {
  const dataDir = resolve(config.dataDir);
  const runDir = config.runDir ? resolve(config.runDir) : join(dataDir, 'run');
  return {
    dataDir,
    runDir,
    workDir: join(dataDir, 'work'),
    storeDir: join(dataDir, 'store'),
    controllerAddress: config.controller || `unix:${join(runDir, 'controller.sock')}`,
    wireTokenFile: config.wireTokenFile || join(dataDir, 'wire-token'),
    webhookSecretFile: config.webhookSecretFile || join(dataDir, 'webhook-secret'),
    workerAddress: (name) => `unix:${join(runDir, 'workers', `${name}.sock`)}`,
  };
}

/** Makes the folders, for this user only, and reads (or makes) the wire token. */
export function prepare(config: Config, layout: Layout): WireToken {
  for (const path of [layout.dataDir, join(layout.runDir, 'workers'), layout.workDir]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  return readWireToken(layout.wireTokenFile, { create: config.wireTokenFile === '' });
}
