import type { Content } from '../../src/client/task.js';
import { formatArguments } from './arguments.js';
import { type Draft, emptyDraft } from './draft.js';
import { durationText, sizeText } from './quantity.js';
import { isObject } from './submission.js';

/**
 * The fields that say what a submission says: the reverse of `readDraft`. It may come from anybody,
 * in a link: a member that is not as a field has it is left to be seen among the further ones, and
 * the service judges it.
 */
export function draftOf(spec: Readonly<Record<string, unknown>>): Draft {
  const rest = new Map(Object.entries(spec));
  const filled: Draft = { ...emptyDraft };
  const take = <T>(name: string, isIt: (value: unknown) => value is T, use: (value: T) => void) => {
    const value = rest.get(name);
    if (!isIt(value)) return;
    rest.delete(name);
    use(value);
  };
  take('code', isString, (code) => Object.assign(filled, { code }));
  take('type', isString, (type) => Object.assign(filled, { type }));
  take('args', isStrings, (args) => Object.assign(filled, { args: formatArguments(args) }));
  take('stdin', isString, (stdin) => Object.assign(filled, { stdin }));
  take('env', isEnv, (env) => Object.assign(filled, { env: envText(env) }));
  take('files', isFiles, (files) => Object.assign(filled, { files }));
  take('network', isNetwork, (network) =>
    Object.assign(filled, { hasNetwork: network === 'host' }),
  );
  take('inspect', isBoolean, (inspects) => Object.assign(filled, { inspects }));
  take('priority', isWhole, (value) =>
    Object.assign(filled, { priority: value ? `${value}` : '' }),
  );
  take('group', isString, (group) => Object.assign(filled, { group }));
  take('tags', isTags, (tags) => Object.assign(filled, { tags: tags.join(', ') }));
  take('limits', isObject, (limits) => {
    const others = fillLimits(filled, limits);
    if (Object.keys(others).length > 0) rest.set('limits', others);
  });
  const further = rest.size === 0 ? '' : JSON.stringify(Object.fromEntries(rest), null, 2);
  return { ...filled, further };
}

/** @returns limits without a field */
function fillLimits(filled: Draft, limits: Record<string, unknown>): Record<string, unknown> {
  const { wallMs, cpuMs, memoryBytes, outputBytes, processes, ...others } = limits;
  const back = (name: string, value: unknown) => {
    if (value !== undefined) others[name] = value;
  };
  if (isWhole(wallMs)) filled.wall = durationText(wallMs);
  else back('wallMs', wallMs);
  if (isWhole(cpuMs)) filled.cpu = durationText(cpuMs);
  else back('cpuMs', cpuMs);
  if (isWhole(memoryBytes)) filled.memory = sizeText(memoryBytes);
  else back('memoryBytes', memoryBytes);
  if (isWhole(outputBytes)) filled.output = sizeText(outputBytes);
  else back('outputBytes', outputBytes);
  if (isWhole(processes)) filled.processes = String(processes);
  else back('processes', processes);
  return others;
}

function envText(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isNetwork = (value: unknown): value is 'none' | 'host' =>
  value === 'none' || value === 'host';
const isWhole = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= -100;
const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(isString);
/** With a comma, a tag is none that the field could have. */
const isTags = (value: unknown): value is string[] =>
  isStrings(value) && value.every((tag) => !tag.includes(',') && tag === tag.trim() && tag !== '');
/** The field has a line for each. */
const isEnv = (value: unknown): value is Record<string, string> =>
  isObject(value) &&
  Object.entries(value).every(([name, text]) => {
    return name !== '' && !/[\s=]/.test(name) && isString(text) && !/[\r\n]/.test(text);
  });
const isContent = (value: unknown): value is Content =>
  isString(value) || (isObject(value) && isString(value.base64) && Object.keys(value).length === 1);
const isFiles = (value: unknown): value is Record<string, Content> =>
  isObject(value) && Object.values(value).every(isContent);
