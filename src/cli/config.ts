import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/settings.js';

/** The configuration file that a command was told to read, if any. */
export function configFileOf(command: Command): string | undefined {
  return command.opts<{ config?: string }>().config ?? process.env.SCRIPTD_CONFIG;
}

/**
 * @param defaults instead of those of the settings
 * @throws ScriptdError BAD_CONFIG
 */
export function configOf(command: Command, defaults: Partial<Config> = {}): Config {
  return loadConfig({
    defaults,
    flags: command.opts(),
    env: process.env,
    file: configFileOf(command),
  });
}
