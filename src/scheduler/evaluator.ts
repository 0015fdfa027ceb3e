/**
 * The evaluator: which type executes a task, and where it stands in the queue of its type and group.
 * Two pure functions. Between groups fair-queue.ts decides.
 */

/** One step of priority is worth this much waiting: so priority goes first, and nothing starves. */
export const priorityStepMs = 60_000;

export interface Scored {
  priority: number;
  /** When it was submitted: milliseconds on any clock, the same for all that are compared. */
  createdAt: number;
  /** What an evaluator of the user's own gave it when it was submitted. */
  score?: number | undefined;
}

/**
 * Score of a task, in milliseconds of waiting: within its group, higher runs first. It grows by one
 * per millisecond for every task alike, so the order of two tasks never changes while they wait.
 */
export function score(task: Scored, now: number): number {
  return (task.score ?? task.priority * priorityStepMs) + (now - task.createdAt);
}

/** Where a task stands in its queue: lower goes first. What `score` says, at any moment. */
export function rankOf(task: Scored): number {
  return -score(task, 0);
}

/** The type for a task, or why there is none: a sentence with the cure. */
export type Route = { type: string } | { refusal: string };

/**
 * Names the type that executes a task: the one asked for, else the interpreter of its shebang, else
 * a guess from the code. A guess that is not clear is refused.
 *
 * @param known the types that this service has workers for
 */
export function route(task: { type?: string; code: string }, known: readonly string[]): Route {
  const listed = [...known].sort().join(', ') || 'none';
  if (task.type !== undefined) {
    return known.includes(task.type)
      ? { type: task.type }
      : { refusal: `\`type\` ${task.type} has no workers here; there are: ${listed}` };
  }
  const guess = shebangType(task.code) ?? guessType(task.code);
  if (guess === undefined) {
    return { refusal: `the code does not tell its type; give \`type\`, one of: ${listed}` };
  }
  return known.includes(guess)
    ? { type: guess }
    : { refusal: `this looks like ${guess}, which has no workers here; there are: ${listed}` };
}

const interpreters = new Map([
  ['python3', 'python'],
  ['nodejs', 'node'],
  ['sh', 'bash'],
]);

/** `#!/usr/bin/env -S python3 -u` → python; undefined without a shebang. */
function shebangType(code: string): string | undefined {
  const line = /^#![ \t]*(\S+)((?:[ \t]+\S+)*)/.exec(code.slice(0, 256));
  if (!line) return undefined;
  const words = [line[1] ?? '', ...(line[2] ?? '').trim().split(/\s+/)];
  const program = words.find(
    (word, index) => word && !word.startsWith('-') && !(index === 0 && /\/env$/.test(word)),
  );
  const name = (program ?? '').replace(/^.*\//, '');
  return interpreters.get(name) ?? interpreters.get(name.replace(/\.\d+$/, '')) ?? name;
}

/** Characters of the code that a guess looks at: what it costs is bounded, whatever they are. */
const guessChars = 4096;

/** Lines that one language's programs have and the others' do not. */
const marks: Record<string, RegExp[]> = {
  python: [
    /^[ \t]*(def|class)[ \t]+\w+.*:[ \t]*(#.*)?$/m,
    /^[ \t]*(from [\w.]+ )?import [\w.*]+( as \w+)?(, ?[\w.]+)*[ \t]*(;|#|$)/m,
    /^[ \t]*(if|elif|else|for|while|with|try|except)\b.*:[ \t]*(#.*)?$/m,
    /^[ \t]*print\(/m,
  ],
  node: [
    /\b(const|let|var)\s+[\w{[].*=/,
    /\brequire\(\s*['"]/,
    /\bconsole\.\w+\(/,
    /=>\s*[{(\w]/,
    /^[ \t]*import .*\bfrom ['"]/m,
    /\bfunction\b.*\{/,
  ],
  bash: [
    /^[ \t]*(echo|cd|export|exit|set|source|mkdir|rm|cat|grep|sed|awk|ls|curl)[ \t]+\S/m,
    /^[ \t]*(fi|done|esac)[ \t]*$/m,
    /\$\{?\w+\}?/,
    /\bthen[ \t]*$/m,
  ],
};

/** The type with clearly the most marks in the code, if there is one. */
function guessType(code: string): string | undefined {
  const head = code.slice(0, guessChars);
  const counts = Object.entries(marks)
    .map(([type, patterns]) => ({ type, hits: patterns.filter((mark) => mark.test(head)).length }))
    .sort((a, b) => b.hits - a.hits);
  const [first, second] = counts;
  return first && second && first.hits > second.hits ? first.type : undefined;
}
