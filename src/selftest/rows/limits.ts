import type { Row } from '../row.js';

const contained = { verdict: 'contained' } as const;
const atStrict = { ...contained, promisedFrom: 'strict' } as const;
const always = { ...contained, promisedFrom: 'none' } as const;
const ends = (code: string | RegExp) => ({ outcome: 'runtime_error' as const, code });
const anyLimit = ends(/^(PROCESS|WALL|CPU|MEMORY)_LIMIT$/);

/** Scripts that take more than they are given. */
export const limitRows: Row[] = [
  {
    ...always,
    name: 'a busy loop',
    code: 'while True: pass',
    limits: { cpuMs: 300 },
    expected: ends('CPU_LIMIT'),
  },
  {
    ...atStrict,
    name: 'four busy children',
    code: 'import os\nfor i in range(4):\n  if os.fork() == 0:\n    while True: pass\nos.wait()',
    limits: { cpuMs: 600 },
    expected: ends('CPU_LIMIT'),
  },
  {
    ...always,
    name: 'sleep for ever',
    code: 'import time; time.sleep(9e9)',
    limits: { wallMs: 300 },
    expected: ends('WALL_LIMIT'),
  },
  {
    ...always,
    name: 'ignore SIGTERM and SIGXCPU, go on',
    code: 'import signal\nfor s in (15, 24): signal.signal(s, signal.SIG_IGN)\nwhile True: pass',
    limits: { cpuMs: 300 },
    expected: ends('CPU_LIMIT'),
  },
  {
    ...atStrict,
    name: 'a fork bomb',
    code: 'import os\nwhile True: os.fork()',
    limits: { processes: 32, wallMs: 3_000 },
    expected: anyLimit,
  },
  {
    ...atStrict,
    name: 'fork and exit, again and again',
    code: 'import os\nwhile True:\n  if os.fork() == 0: os._exit(0)',
    limits: { processes: 32, wallMs: 1_000 },
    expected: anyLimit,
  },
  {
    ...atStrict,
    name: 'setsid, double fork, keep stdout open, parent exits 0',
    code: `import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.wait(); print("gone")`,
    expected: { outcome: 'success', said: 'gone\n' },
  },
  {
    ...atStrict,
    name: '10,000 zombies',
    code: 'import os\nfor i in range(10000):\n  if os.fork() == 0: os._exit(0)',
    limits: { processes: 64 },
    expected: ends('PROCESS_LIMIT'),
  },
  {
    ...atStrict,
    name: 'more memory than allowed, in the script',
    code: 'x = bytearray(200 << 20)',
    limits: { memoryBytes: 64 << 20 },
    expected: ends('MEMORY_LIMIT'),
  },
  {
    ...atStrict,
    name: 'more memory than allowed, in its child',
    code: 'import os, sys\nif os.fork() == 0:\n  x = bytearray(200 << 20)\nos.wait(); sys.exit(1)',
    limits: { memoryBytes: 64 << 20 },
    expected: ends('MEMORY_LIMIT'),
  },
  {
    ...atStrict,
    name: 'fill /tmp',
    code: 'f = open("/tmp/x", "wb")\nwhile True: f.write(bytes(1 << 20))',
    limits: { diskBytes: 8 << 20 },
    expected: { outcome: 'runtime_error', reason: /No space left|too large|DISK|ENOSPC|EFBIG/i },
  },
  {
    ...atStrict,
    name: 'fill /dev/shm with many files',
    code: 'for i in range(99): open(f"/dev/shm/{i}", "wb").write(bytes(1 << 20))',
    limits: { diskBytes: 8 << 20 },
    expected: { outcome: 'runtime_error', reason: /No space left/ },
  },
  {
    ...atStrict,
    name: 'fill a memfd',
    code: 'import os\nf = os.memfd_create("x")\nwhile True: os.write(f, bytes(1 << 20))',
    limits: { memoryBytes: 64 << 20, diskBytes: 512 << 20 },
    expected: ends('MEMORY_LIMIT'),
  },
  {
    ...always,
    name: 'a sparse file of 1 TB',
    code: 'f = open("x", "wb"); f.truncate(1 << 40)',
    expected: { outcome: 'runtime_error' },
  },
  {
    ...atStrict,
    name: '100,000 tiny files',
    code: 'for i in range(100000): open(f"{i}", "w")',
    expected: { outcome: 'runtime_error', reason: /No space left/ },
  },
  {
    ...always,
    name: 'deeply nested folders, and a name of 255 bytes',
    code: `import os
open("n" * 255, "w")
for i in range(9000): os.mkdir("d"); os.chdir("d")`,
    // Landlock walks up to the root each time: how far it comes hangs on the host.
    limits: { wallMs: 5_000 },
    expected: { code: /^(|WALL_LIMIT|CPU_LIMIT)$/ },
  },
];
