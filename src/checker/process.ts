import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { errorCode, errorMessage } from '../errors.js';
import { type Answer, passed } from './answer.js';
import { type Compiled, compile, compileMessage } from './compiled.js';
import { type Job, ready } from './job.js';
import { checkerLimits } from './limits.js';

/*
 * The checker process: takes one job after the other over its channel and answers each. What it runs
 * is untrusted, so it bounds each job in time itself (and ends by itself when its parent dies in
 * the middle of one); its parent kills it when that does not help.
 */

/** Latest used last. */
const compiled = new Map<string, Compiled>();

const call = new Script('scriptdWork()');

/** @throws Error ERR_SCRIPT_EXECUTION_TIMEOUT; regular expressions, too, are interrupted by it */
function bounded<T>(work: () => T): T {
  (globalThis as { scriptdWork?: () => T }).scriptdWork = work;
  return call.runInThisContext({ timeout: checkerLimits.checkMs }) as T;
}

function compiledFor({ check }: Job): Compiled {
  const key = createHash('sha256').update(JSON.stringify(check)).digest('base64');
  const known = compiled.get(key) ?? compile(check);
  compiled.delete(key);
  compiled.set(key, known);
  for (const oldest of compiled.keys()) {
    if (compiled.size <= checkerLimits.compiledMax) break;
    compiled.delete(oldest);
  }
  return known;
}

function answerTo(job: Job): Answer {
  let isCompiled = false;
  try {
    return bounded(() => {
      const judge = compiledFor(job);
      isCompiled = true;
      return job.output ? judge(job.output) : passed;
    });
  } catch (error) {
    if (errorCode(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      return { kind: 'failed', message: `it was not done after ${checkerLimits.checkMs} ms` };
    }
    if (!isCompiled) return { kind: 'failed', message: compileMessage(error) };
    // Of a schema that calls itself, on an output that is nested deep.
    if (error instanceof RangeError) return { kind: 'failed', message: errorMessage(error) };
    return { kind: 'fault', message: errorMessage(error) };
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (job) => process.send?.(answerTo(job as Job)));
process.send?.(ready);
