import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

/** Prints what comes, one datagram a line, with the pid of who sent it. */
const receiver = `
import socket, struct, sys
address = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind("\\0" + address[1:] if address.startswith("@") else address)
print("bound", flush=True)
while True:
    data, extra, _, _ = receiver.recvmsg(65536, socket.CMSG_SPACE(12))
    pid, _, _ = struct.unpack("3i", extra[0][2])
    print(pid, data.decode().replace("\\n", "|"), flush=True)
`;

export interface Notice {
  /** Who sent it, as the kernel says. */
  pid: number;
  text: string;
}

/** A real datagram socket in the place of the service manager's, until the test ends. */
export class NotifySocket {
  readonly notices: Notice[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly address: string,
    child: ChildProcess,
  ) {
    if (!child.stdout) throw new Error('no stdout');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [pid = '', ...words] = line.split(' ');
      this.notices.push({ pid: Number(pid), text: words.join(' ') });
      for (const look of [...this.#waiting]) look();
    });
  }

  static async open(t: Test, kind: 'path' | 'abstract' = 'path'): Promise<NotifySocket> {
    const folder = mkdtempSync(join(tmpdir(), 'scriptd-notify-'));
    const path = join(folder, 'socket');
    const address = kind === 'path' ? path : `@${path}`;
    const child = spawn('python3', ['-c', receiver, address], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => {
      child.kill();
      rmSync(folder, { recursive: true });
    });
    const socket = new NotifySocket(address, child);
    await socket.until(({ notices }) => notices.length > 0);
    socket.notices.length = 0;
    return socket;
  }

  get texts(): string[] {
    return this.notices.map(({ text }) => text);
  }

  until(holds: (socket: NotifySocket) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds(this)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
