import type { Command } from 'commander';
import { flagName, type SettingName, settings, variableName } from '../config/settings.js';

/** Settings that every command takes. */
const shared: readonly SettingName[] = ['dataDir', 'runDir', 'wireTokenFile', 'logLevel'];

/** Adds the flags of these settings, and --config, to a command. */
export function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of [...names, ...shared]) {
    const {
      notation,
      help,
      default: standard,
      placeholder,
    } = settings[name] as {
      notation: string;
      help: string;
      default: unknown;
      placeholder?: string;
    };
    if (notation === 'none') continue;
    const value = notation === 'switch' ? '' : ` <${placeholder ?? 'number'}>`;
    const shown = typeof standard === 'number' || (typeof standard === 'string' && standard !== '');
    const suffix = shown ? ` (${standard})` : '';
    command.option(`${flagName(name)}${value}`, `${help}${suffix} [${variableName(name)}]`);
  }
  return command.option(
    '--config <file>',
    'configuration file (./scriptd.yaml if there is one) [SCRIPTD_CONFIG]',
  );
}

/** The flags by which a part that is started gets the same values of these settings. */
export function flagsOf(values: Partial<Record<SettingName, unknown>>): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const name = key as SettingName;
    const flag = flagName(name);
    switch (settings[name].notation) {
      case 'switch':
        return value === settings[name].default ? [] : [flag];
      case 'list':
        return (value as string[]).length > 0 ? [`${flag}=${(value as string[]).join(',')}`] : [];
      case 'slots':
        return [`${flag}=${slotsText(value as Record<string, number>)}`];
      default:
        return value === '' ? [] : [`${flag}=${String(value)}`];
    }
  });
}

function slotsText(slots: Record<string, number>): string {
  return Object.entries(slots)
    .map(([type, count]) => `${type}=${count}`)
    .join(',');
}
