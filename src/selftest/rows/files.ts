import type { Row } from '../row.js';

const always = { verdict: 'blocked', promisedFrom: 'none' } as const;
const nothing = { outcome: 'success', handedBack: '' } as const;

/** Scripts that plant something where the host takes files from. */
export const fileRows: Row[] = [
  {
    ...always,
    name: 'a file to hand back is a link to /etc/passwd',
    code: 'import os; os.symlink("/etc/passwd", "out")',
    collect: ['out'],
    expected: { ...nothing, notCollected: { out: 'ELOOP' } },
  },
  {
    ...always,
    name: 'a file to hand back lies behind a link to /etc',
    code: 'import os; os.symlink("/etc", "folder")',
    collect: ['folder/passwd', 'folder/*'],
    expected: nothing,
  },
  {
    ...always,
    name: 'a file to hand back is a FIFO',
    code: 'import os; os.mkfifo("out")',
    collect: ['out'],
    expected: { ...nothing, notCollected: { out: 'EINVAL' } },
  },
  {
    ...always,
    name: 'a file to hand back is a socket',
    code: 'import socket; socket.socket(socket.AF_UNIX).bind("out")',
    collect: ['out'],
    expected: nothing,
  },
  {
    ...always,
    // Elsewhere the child would outlive its parent.
    promisedFrom: 'strict',
    name: 'a file to hand back is swapped while it is read',
    code: `import os
open("out", "w").write("x" * (1 << 20))
if os.fork() == 0:
    os.setsid()
    while True:
        os.symlink("/etc/passwd", "swap"); os.rename("swap", "out")
        open("swap", "w").write("y"); os.rename("swap", "out")`,
    collect: ['out'],
    expected: { outcome: 'success', handedBack: /^(x*|y)$/ },
  },
];
