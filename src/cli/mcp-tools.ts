import type { Scriptd, Task, TaskSpec } from '../client/index.js';
import { errorCode, ScriptdError } from '../errors.js';
import { limits } from '../limits.js';
import { bytesText } from './bytes-text.js';

export interface McpTool {
  name: string;
  description: string;
  /** JSON Schema. */
  inputSchema: {
    type: 'object';
    properties: object;
    required?: string[];
    additionalProperties: false;
  };
  call(args: Record<string, unknown>, signal: AbortSignal): Promise<McpAnswer>;
}

interface McpAnswer {
  [member: string]: unknown;
  content: { type: 'text'; text: string }[];
  structuredContent?: Record<string, unknown>;
  /** The script did not succeed. */
  isError?: boolean;
}

/**
 * Of each output, and of all files together: an agent reads what it is given. The rest can be read
 * over HTTP.
 */
const outputCharsMax = 64 * 1024;
const waitSecondsDefault = 30;

const waitSeconds = {
  type: 'integer',
  minimum: 0,
  maximum: limits.waitSecondsMax,
  description: `How long to wait for the result; default ${waitSecondsDefault}. If it is not there by then, ask get_result for it.`,
};
const milliseconds = { type: 'integer', minimum: 1 };

/** What an agent may do: run a script, read a result, see what there is to run scripts with. */
export function mcpTools(client: Scriptd): McpTool[] {
  return [
    {
      name: 'run_script',
      description:
        'Runs a script in a sandbox without network, and answers its output, exit code and verdict. ' +
        'Nothing stays between two runs: give what it needs as stdin or files.',
      inputSchema: {
        type: 'object',
        properties: {
          code: { type: 'string', description: 'The script.' },
          type: { type: 'string', description: 'A runtime of list_runtimes, e.g. python.' },
          args: { type: 'array', items: { type: 'string' } },
          stdin: { type: 'string' },
          env: { type: 'object', additionalProperties: { type: 'string' } },
          files: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description: 'Texts of files beside the script, by name.',
          },
          collect: {
            type: 'array',
            items: { type: 'string' },
            description: 'Names or patterns of files to hand back.',
          },
          limits: {
            type: 'object',
            properties: {
              wallMs: milliseconds,
              cpuMs: milliseconds,
              memoryBytes: milliseconds,
              outputBytes: milliseconds,
            },
            additionalProperties: false,
          },
          waitSeconds,
        },
        required: ['code'],
        additionalProperties: false,
      },
      call: async ({ waitSeconds, ...spec }, signal) => {
        const wait = waitOf(waitSeconds);
        // What does not fit, the service says.
        const task = await client.submit(spec as unknown as TaskSpec, { signal });
        return answerOf(await finishedWithin(client, task, wait, signal));
      },
    },
    {
      name: 'get_result',
      description: 'The result of a script that run_script began: its output and verdict.',
      inputSchema: {
        type: 'object',
        properties: { id: { type: 'string' }, waitSeconds },
        required: ['id'],
        additionalProperties: false,
      },
      call: async ({ id, waitSeconds }, signal) => {
        if (typeof id !== 'string') throw unfit('`id` must be the id that run_script answered');
        const wait = waitOf(waitSeconds);
        const task = await client.get(id, { signal });
        return answerOf(await finishedWithin(client, task, wait, signal));
      },
    },
    {
      name: 'list_runtimes',
      description: 'The types of scripts that can be run, and how busy each is.',
      inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      call: async (_, signal) => {
        const runtimes = await client.queues({ signal });
        const text = runtimes
          .map(({ type, slots, running, ready, paused }) => {
            const load = `${running} of ${slots} slots busy, ${ready} waiting`;
            return `${type}: ${load}${paused ? ', paused' : ''}`;
          })
          .join('\n');
        return { content: [{ type: 'text', text }], structuredContent: { runtimes } };
      },
    },
  ];
}

function unfit(text: string): ScriptdError {
  return new ScriptdError('BAD_OPTION', text);
}

function waitOf(value: unknown = waitSecondsDefault): number {
  const isWhole = typeof value === 'number' && Number.isInteger(value);
  if (isWhole && value >= 0 && value <= limits.waitSecondsMax) return value;
  throw unfit(`\`waitSeconds\` must be a whole number from 0 to ${limits.waitSecondsMax}`);
}

/** The task as it stands when it has finished, or the time is up. Who gives up on it ends it. */
async function finishedWithin(
  client: Scriptd,
  task: Task,
  seconds: number,
  signal: AbortSignal,
): Promise<Task> {
  if (task.state === 'finished') return task;
  const timeUp = AbortSignal.timeout(seconds * 1_000);
  try {
    return await client.wait(task.id, { signal: AbortSignal.any([signal, timeUp]) });
  } catch (error) {
    if (signal.aborted) {
      await client.cancel(task.id).catch((late: unknown) => {
        if (errorCode(late) !== 'ALREADY_FINISHED') throw late;
      });
      throw error;
    }
    if (timeUp.aborted) return client.get(task.id);
    throw error;
  }
}

/** Those that have room in an answer, the smaller ones first; of the others only the size. */
function shownFiles(files: NonNullable<Task['files']>): object {
  let room = outputCharsMax;
  const bySize = Object.entries(files).sort(([, a], [, b]) => a.content.length - b.content.length);
  const shown = bySize.map(([name, { content, ...rest }]) => {
    room -= content.length;
    return [name, room >= 0 ? { content, ...rest } : { ...rest, leftOut: true }];
  });
  return Object.fromEntries(shown);
}

function answerOf(task: Task): McpAnswer {
  const { id, state, outcome, code, reason, exitCode, signal, usage, files } = task;
  const outputs = Object.fromEntries(
    (['stdout', 'stderr'] as const).flatMap((stream) => {
      const text = task[stream];
      return text ? [[stream, shortened(bytesText(text, task[`${stream}Encoding`]).shown)]] : [];
    }),
  );
  const verdict = { id, state, outcome, code, reason, exitCode, signal, wallMs: usage?.wallMs };
  const shown = { ...verdict, files: files && shownFiles(files) };
  const known = Object.entries(shown).filter(([, value]) => value !== undefined);
  const structuredContent = { ...Object.fromEntries(known), ...outputs };
  const head =
    state === 'finished'
      ? `${outcome}${code ? ` (${code})` : ''}${reason ? `: ${reason}` : ''}`
      : `${state}: ask get_result for ${id}`;
  const parts = Object.entries(outputs).map(([stream, text]) => `${stream}:\n${text}`);
  return {
    content: [{ type: 'text', text: [head, ...parts].join('\n\n') }],
    structuredContent,
    ...(state === 'finished' && outcome !== 'success' && { isError: true }),
  };
}

function shortened(text: string): string {
  if (text.length <= outputCharsMax) return text;
  return `${text.slice(0, outputCharsMax)}\n[${text.length - outputCharsMax} characters left out]`;
}
