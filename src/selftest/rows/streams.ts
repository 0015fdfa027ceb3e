import { limits } from '../../limits.js';
import type { Row } from '../row.js';

const always = { verdict: 'contained', promisedFrom: 'none' } as const;
const tooMuch = { outcome: 'runtime_error', code: 'OUTPUT_LIMIT' } as const;
/** All that a task may be given; 64 MB would be refused before it became one. */
const stdinBytes = limits.stdinBytesMax;

/** Scripts that misuse their three streams. */
export const streamRows: Row[] = [
  {
    ...always,
    name: 'endless stdout',
    code: 'while True: print("x" * 9999)',
    limits: { outputBytes: 99_999 },
    expected: { ...tooMuch, said: /^xxx/ },
  },
  {
    ...always,
    name: 'endless stderr',
    code: 'import sys\nwhile True: sys.stderr.write("x" * 9999)',
    limits: { outputBytes: 99_999 },
    expected: tooMuch,
  },
  {
    ...always,
    name: 'endless stdout and stderr in turn',
    code: 'import os\nwhile True: os.write(1, b"o" * 9999); os.write(2, b"e" * 9999)',
    limits: { outputBytes: 99_999 },
    expected: { ...tooMuch, said: /^ooo/ },
  },
  {
    ...always,
    name: '300 KB of output',
    code: 'print("x" * 300_000, end="")',
    expected: { outcome: 'success', said: 'x'.repeat(300_000) },
  },
  {
    ...always,
    name: `${stdinBytes >> 20} MiB of stdin, all that is allowed, echoed`,
    code: 'import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)',
    stdin: Buffer.alloc(stdinBytes, 'y'),
    expected: { outcome: 'success', said: 'y'.repeat(stdinBytes) },
  },
  {
    ...always,
    name: 'stdin closed early',
    code: 'import os; os.close(0); print("fine")',
    stdin: Buffer.alloc(stdinBytes),
    expected: { outcome: 'success', said: 'fine\n' },
  },
];
