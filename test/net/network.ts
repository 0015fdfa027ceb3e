import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { packageRoot } from '../../src/native.js';

/** What keeps hosts from being made here; undefined: nothing does. */
export function whyNoNetwork(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    accessSync('/dev/net/tun');
    execFileSync('ip', ['-V'], { stdio: 'ignore' });
  } catch {
    return 'network namespaces need iproute2 and /dev/net/tun';
  }
  return undefined;
}

/** A host of a test's network: a network namespace with one address. */
export interface Host {
  name: string;
  address: string;
}

/** A scriptd process on a host. */
export class Part {
  readonly child: ChildProcess;
  /** What it wrote to stderr: JSON lines. */
  log = '';

  constructor(host: Host, args: readonly string[]) {
    // tap has the child processes of a test load its own modules; these are to run as they are.
    const clean = ['env', '-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd')];
    const command = ['netns', 'exec', host.name, ...clean, ...args];
    this.child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 8_000);
    await gone;
    clearTimeout(patience);
  }
}

/**
 * Hosts on one Ethernet, this process among them. Frames pass through a switch of ours, which can
 * lose and delay them, and can cut a host off without anybody being told.
 */
export class Network {
  readonly folder = mkdtempSync(join(tmpdir(), 'scriptd-net-'));
  readonly hosts: Host[];
  readonly #switch: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #parts: Part[] = [];

  private constructor(hosts: Host[], prefix: string, own: string) {
    this.hosts = hosts;
    for (const { name } of hosts) execFileSync('ip', ['netns', 'add', name]);
    const ports = hosts.map(({ name, address }) => `${name}=${name}=${address}/24`);
    const program = join(packageRoot, 'test', 'net', 'switch.py');
    this.#switch = spawn('python3', [program, `=${own}=${prefix}.254/24`, ...ports], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#switch;
    if (!stdout) throw new Error('the switch has no output');
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  static async create(t: Test, count: number): Promise<Network> {
    const id = randomInt(256 * 256);
    // 198.18.0.0/15 is for tests of networks (RFC 2544).
    const prefix = `198.${18 + (id & 1)}.${id >> 8}`;
    const hosts = Array.from({ length: count }, (_, index) => ({
      name: `sdt${id}-${index}`,
      address: `${prefix}.${index + 1}`,
    }));
    const network = new Network(hosts, prefix, `sdt${id}-own`);
    t.teardown(() => network.#close());
    await network.#answers.next();
    return network;
  }

  start(host: Host | undefined, args: readonly string[]): Part {
    if (!host) throw new Error('there is no such host');
    const part = new Part(host, args);
    this.#parts.push(part);
    return part;
  }

  cut({ name }: Host): Promise<void> {
    return this.#order(`cut ${name}`);
  }

  mend({ name }: Host): Promise<void> {
    return this.#order(`mend ${name}`);
  }

  /** @param loss of each frame, from 0 to 1 */
  shape(delayMs: number, loss: number): Promise<void> {
    return this.#order(`shape ${delayMs} ${loss}`);
  }

  async #order(text: string): Promise<void> {
    this.#switch.stdin?.write(`${text}\n`);
    await this.#answers.next();
  }

  async #close(): Promise<void> {
    for (const part of this.#parts.reverse()) await part.stop();
    const gone = once(this.#switch, 'exit');
    this.#switch.stdin?.end();
    await gone;
    for (const { name } of this.hosts) execFileSync('ip', ['netns', 'del', name]);
    rmSync(this.folder, { recursive: true });
  }
}
