import { overview } from '../api/overview.js';

export interface Runtime {
  type: string;
  label: string;
  /** Whether a worker of it is connected, as far as is known. */
  isServed: boolean;
}

interface Known {
  label: string;
  /** Stands in an empty editor. */
  example: string;
  /** What one step of indentation is. */
  indent: string;
}

const known: Readonly<Record<string, Known>> = {
  python: { label: 'Python', example: "print('hello')", indent: '    ' },
  node: { label: 'Node', example: "console.log('hello')", indent: '  ' },
  bash: { label: 'Bash', example: 'echo hello', indent: '  ' },
};
const other: Known = { label: '', example: 'The script', indent: '  ' };

export function runtimeOf(type: string): Known {
  return Object.hasOwn(known, type) ? (known[type] ?? other) : other;
}

/** Types that a script can be of, the well-known first; the one that is chosen is always among them. */
export function runtimes(chosen: string): Runtime[] {
  const queues = overview.value?.queues;
  const names = new Set(Object.keys(known));
  if (queues) {
    const served = queues.map(({ type }) => type);
    for (const name of names) if (!served.includes(name)) names.delete(name);
    for (const name of served.toSorted()) names.add(name);
  }
  names.add(chosen);
  return [...names].map((type) => ({
    type,
    label: runtimeOf(type).label || type,
    isServed: !queues || queues.some((queue) => queue.type === type && queue.workers > 0),
  }));
}
