import { join } from 'node:path';
import type { SettingName } from '../config/settings.js';
import { packageRoot } from '../native.js';
import { flagsOf } from './options.js';
import { lifelineVariable } from './part.js';

/** How a part is started as a process of its own. */
export interface ChildCommand {
  file: string;
  args: string[];
  env: Record<string, string>;
}

/**
 * The command line of a part that gets these settings and the same configuration file. With
 * `lifeline`, it ends when its stdin does.
 */
export function childCommand(
  part: 'controller' | 'http' | 'worker',
  values: Partial<Record<SettingName, unknown>>,
  options: { configFile: string | undefined; lifeline: boolean },
): ChildCommand {
  const config = options.configFile === undefined ? [] : [`--config=${options.configFile}`];
  const env = { ...process.env } as Record<string, string>;
  delete env[lifelineVariable];
  if (options.lifeline) env[lifelineVariable] = 'stdin';
  return {
    file: process.execPath,
    args: [join(packageRoot, 'bin', 'scriptd'), part, ...flagsOf(values), ...config],
    env,
  };
}
