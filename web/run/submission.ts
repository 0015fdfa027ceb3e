import type { Limits, TaskSpec } from '../../src/client/task.js';
import { parseArguments } from './arguments.js';
import type { Draft } from './draft.js';
import { parseCount, parseDuration, parseSize, type Quantity } from './quantity.js';

/** What is wrong with a field, by the name that the service has for it: e.g. `limits.wallMs`. */
export type Faults = Readonly<Record<string, string>>;

export type Read = { spec: TaskSpec } | { faults: Faults };

/** Reads the fields. What can be wrong in more ways than a form knows, the service says. */
export function readDraft(draft: Draft): Read {
  const faults: Record<string, string> = {};
  const further = readFurther(draft.further, faults);
  const limits = { ...objectOf(further.limits), ...readLimits(draft, faults) };
  const args = parseArguments(draft.args);
  if ('fault' in args) faults.args = args.fault;
  const env = readEnv(draft.env, faults);
  const priority = figure('priority', parseCount(draft.priority), faults);
  const tags = draft.tags.split(',').map((tag) => tag.trim());
  if (draft.code === '') faults.code = 'There is no script yet.';
  if (Object.keys(faults).length > 0) return { faults };
  const spec = {
    ...further,
    code: draft.code,
    type: draft.type,
    ...('args' in args && args.args.length > 0 && { args: args.args }),
    ...(draft.stdin !== '' && { stdin: draft.stdin }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(Object.keys(draft.files).length > 0 && { files: draft.files }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(draft.hasNetwork && { network: 'host' as const }),
    ...(draft.inspects && draft.type === 'python' && { inspect: true }),
    ...(priority !== undefined && { priority }),
    ...(draft.group !== '' && { group: draft.group }),
    ...(draft.tags.trim() !== '' && { tags: tags.filter((tag) => tag !== '') }),
  };
  return { spec };
}

function readLimits(draft: Draft, faults: Record<string, string>): Partial<Limits> {
  const read = {
    wallMs: parseDuration(draft.wall),
    cpuMs: parseDuration(draft.cpu),
    memoryBytes: parseSize(draft.memory),
    outputBytes: parseSize(draft.output),
    processes: parseCount(draft.processes),
  };
  const limits: Partial<Limits> = {};
  for (const name of Object.keys(read) as (keyof typeof read)[]) {
    const value = figure(`limits.${name}`, read[name], faults);
    if (value !== undefined) limits[name] = value;
  }
  return limits;
}

function figure(
  field: string,
  quantity: Quantity,
  faults: Record<string, string>,
): number | undefined {
  if ('value' in quantity) return quantity.value;
  faults[field] = quantity.fault;
  return undefined;
}

function readEnv(text: string, faults: Record<string, string>): Record<string, string> {
  const pairs: [string, string][] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const equals = line.indexOf('=');
    if (equals > 0) pairs.push([line.slice(0, equals).trim(), line.slice(equals + 1)]);
    else faults.env = `Each line is NAME=value, and this one is not: ${line.slice(0, 80)}`;
  }
  return Object.fromEntries(pairs);
}

function readFurther(text: string, faults: Record<string, string>): Record<string, unknown> {
  if (text.trim() === '') return {};
  try {
    const read: unknown = JSON.parse(text);
    if (isObject(read)) return read;
    faults.further = 'This takes a JSON object: { "name": value }.';
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    faults.further = `This is no JSON: ${error.message}`;
  }
  return {};
}

/** The object that a text in JSON is; an empty one where it is none. */
export function objectIn(text: string): Record<string, unknown> {
  return readFurther(text, {});
}

function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
