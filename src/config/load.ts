import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { errorCode, errorMessage, ScriptdError } from '../errors.js';
import { nearestName, validator } from '../schema.js';
import {
  type Config,
  flagName,
  type SettingName,
  settingNames,
  settings,
  variableName,
} from './settings.js';

/** Variables that are no settings: they serve the build, the tests, and commands that ask a service. */
const otherVariables = [
  'SCRIPTD_NATIVE_DIR',
  'SCRIPTD_TEST_ALL',
  'SCRIPTD_CONFIG',
  'SCRIPTD_LIFELINE',
  'SCRIPTD_URL',
  'SCRIPTD_TOKEN',
];

export interface Sources {
  /** What commander read: camelCase keys; text, or a boolean for a switch. */
  flags: Readonly<Record<string, unknown>>;
  env: Readonly<Record<string, string | undefined>>;
  /** Path of the file that was asked for; without one, ./scriptd.yaml is read if it is there. */
  file: string | undefined;
  /** Instead of the default of the setting. */
  defaults?: Partial<Config>;
}

/**
 * The configuration: flags over environment over file over defaults.
 *
 * @throws ScriptdError BAD_CONFIG: the sentence names the setting, where it was set, and the cure.
 */
export function loadConfig(sources: Sources): Config {
  const file = readFile(sources.file);
  refuseUnknownVariables(sources.env);
  const config: Partial<Record<SettingName, unknown>> = {};
  for (const name of settingNames) config[name] = settingValue(name, sources, file);
  refuseContradictions(config as Config, file.path);
  return config as Config;
}

/** A default that nobody could ask for is a mistake in one of two places: which, only you know. */
function refuseContradictions({ runtimes }: Config, path: string): void {
  for (const [type, { limits = {}, limitsMax = {} }] of Object.entries(runtimes)) {
    for (const [name, most] of Object.entries(limitsMax) as [keyof typeof limits, number][]) {
      const standard = limits[name];
      if (standard === undefined || standard <= most) continue;
      throw bad(
        `\`runtimes.${type}.limits.${name}\` in ${path} is ${standard}, above ` +
          `\`limitsMax.${name}\` (${most}): lower the one or raise the other`,
      );
    }
  }
}

function settingValue(name: SettingName, sources: Sources, file: ConfigFile): unknown {
  const flag = sources.flags[name];
  if (flag !== undefined && !isImpliedDefault(name, flag))
    return checked(name, flag, flagName(name));
  const variable = sources.env[variableName(name)];
  if (variable !== undefined) return checked(name, variable, variableName(name));
  if (Object.hasOwn(file.values, name))
    return checked(name, file.values[name], `\`${name}\` in ${file.path}`);
  const own = sources.defaults?.[name];
  if (own !== undefined) return own;
  const { default: standard } = settings[name];
  return typeof standard === 'function' ? standard() : standard;
}

/** Commander gives a `--no-x` switch the value true when it is absent. */
function isImpliedDefault(name: SettingName, flag: unknown): boolean {
  return settings[name].notation === 'switch' && flag === settings[name].default;
}

/** The value as its schema wants it, or an error that says where it was set. */
function checked(name: SettingName, raw: unknown, where: string): unknown {
  const value = typeof raw === 'string' ? fromText(name, raw, where) : raw;
  const misfit = validators[name].misfit(value);
  if (!misfit) return value;
  const message = misfit.message.replace(/^`(value)?`/, 'it');
  throw bad(`${where}: ${message} (${settings[name].help})`);
}

const validators = Object.fromEntries(
  settingNames.map((name) => [name, validator(settings[name].schema)]),
) as Record<SettingName, ReturnType<typeof validator>>;

function fromText(name: SettingName, text: string, where: string): unknown {
  switch (settings[name].notation) {
    case 'number':
      if (!/^-?\d+(\.\d+)?$/.test(text)) throw bad(`${where}: \`${text}\` is not a number`);
      return Number(text);
    case 'switch':
      if (/^(1|true|yes|on)$/i.test(text)) return true;
      if (/^(0|false|no|off)$/i.test(text)) return false;
      throw bad(`${where}: \`${text}\` is neither true nor false`);
    case 'list':
      return text.split(',').flatMap((item) => (item.trim() ? [item.trim()] : []));
    case 'slots':
      return slotsFromText(text, where);
    case 'text':
    case 'none':
      return text;
  }
}

/** `python=2,node` → { python: 2, node: 1 } */
function slotsFromText(text: string, where: string): Record<string, number> {
  const slots: Record<string, number> = {};
  for (const item of text.split(',')) {
    const [, type, count] = /^\s*([^=\s]+)\s*(?:=\s*(\d+)\s*)?$/.exec(item) ?? [];
    if (type === undefined) {
      throw bad(`${where}: \`${item}\` is not TYPE=SLOTS; write for example python=2,node=1`);
    }
    if (Object.hasOwn(slots, type)) throw bad(`${where}: ${type} is given twice`);
    slots[type] = Number(count ?? 1);
  }
  return slots;
}

interface ConfigFile {
  path: string;
  values: Readonly<Record<string, unknown>>;
}

function readFile(asked: string | undefined): ConfigFile {
  const path = resolve(asked ?? 'scriptd.yaml');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (asked === undefined && errorCode(error) === 'ENOENT') return { path, values: {} };
    throw bad(`the configuration file cannot be read: ${errorMessage(error)}`);
  }
  let values: unknown;
  try {
    values = parse(text) ?? {};
  } catch (error) {
    throw bad(`${path} is not valid YAML: ${errorMessage(error)}`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw bad(`${path} must be a map of settings`);
  }
  for (const key of Object.keys(values)) {
    if (!Object.hasOwn(settings, key))
      throw bad(`${path}: \`${key}\` is not a setting${cure(key, settingNames)}`);
  }
  return { path, values: values as Record<string, unknown> };
}

function refuseUnknownVariables(env: Sources['env']): void {
  const known = [...settingNames.map(variableName), ...otherVariables];
  for (const name of Object.keys(env)) {
    if (name.startsWith('SCRIPTD_') && !known.includes(name)) {
      throw bad(`the environment variable ${name} is not a setting${cure(name, known)}`);
    }
  }
}

function cure(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest ? `; did you mean ${nearest}?` : `; known are ${known.join(', ')}`;
}

function bad(message: string): ScriptdError {
  return new ScriptdError('BAD_CONFIG', message);
}
