import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { errorCode } from '../../src/errors.js';
import { packageRoot } from '../../src/native.js';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The body, read as JSON. */
  json: Record<string, unknown>;
}

/** A real `scriptd up` of the test's own, with everything that it started. */
export class Service {
  readonly dataDir: string;
  readonly child: ChildProcess;
  /** What it wrote to stderr: JSON lines. */
  log = '';
  address = '';
  #agent = newAgent();

  private constructor(dataDir: string, child: ChildProcess) {
    this.dataDir = dataDir;
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
  }

  /**
   * Starts one and waits until it says that it is ready. It is ended with the test.
   *
   * @param config text of its configuration file
   * @param dataDir what an earlier one left; without it, a folder of its own
   */
  static async start(
    test: Test,
    args: readonly string[] = [],
    config?: string,
    dataDir = mkdtempSync(join(tmpdir(), 'scriptd-up-')),
  ): Promise<Service> {
    // In its working directory, where it looks for one.
    if (config !== undefined) writeFileSync(join(dataDir, 'scriptd.yaml'), config);
    const command = ['up', '--port', '0', '--debug-port', '0', '--data-dir', dataDir, ...args];
    // tap has the child processes of a test load its own modules; these are to run as they are.
    const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd')];
    const child = spawn('env', [...clean, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: dataDir,
    });
    const service = new Service(dataDir, child);
    test.teardown(() => service.end());
    service.address = await service.#ready();
    return service;
  }

  async #ready(): Promise<string> {
    let text = '';
    for await (const chunk of this.child.stdout ?? []) {
      text += String(chunk);
      const found = /^scriptd ready (\S+)$/m.exec(text);
      if (found?.[1]) return found[1];
    }
    throw new Error(`up ended before it was ready:\n${this.log}`);
  }

  /** SIGTERM, and what became of it. */
  async stop(): Promise<{ code: number | null; signal: string | null }> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    return { code: child.exitCode, signal: child.signalCode };
  }

  /** Whatever state the test left it in. */
  async end(): Promise<void> {
    await this.stop();
    this.#agent.destroy();
    this.kill();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** All that is left of it, at once. */
  kill(): void {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // It ended by itself since it was seen.
        if (errorCode(error) !== 'ESRCH') throw error;
      }
    }
  }

  /** All live processes of this service: all know its folder, but for scripts in a sandbox. */
  processes(): { pid: number; command: string }[] {
    const groups = this.#cgroups();
    return readdirSync('/proc').flatMap((name) => {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === process.pid) return [];
      const command = readProc(pid, 'cmdline').replaceAll('\0', ' ');
      const known =
        command.includes(this.dataDir) ||
        readProc(pid, 'environ').includes(this.dataDir) ||
        groups.some((group) => readProc(pid, 'cgroup').includes(group));
      return known ? [{ pid, command }] : [];
    });
  }

  /** Names of the cgroups that its workers make. */
  #cgroups(): string[] {
    const work = join(this.dataDir, 'work');
    if (!existsSync(work)) return [];
    return readdirSync(work).map((name) => {
      const service = createHash('sha256').update(join(work, name)).digest('hex').slice(0, 8);
      return `scriptd-${name}-${service}/`;
    });
  }

  /** Pid of one part: `controller`, `http` or `worker`. */
  partPid(part: string, more = ''): number {
    const pattern = `bin/scriptd ${part} `;
    const found = this.processes().filter(
      ({ command }) => command.includes(pattern) && command.includes(more),
    );
    const pids = found.map(({ pid }) => pid);
    // A child that has not become its program yet looks like its parent, and its pid may be lower.
    const own = pids.find((pid) => !pids.includes(parentOf(pid)) && parentOf(pid) > 0);
    if (!own) throw new Error(`no ${part} runs: ${JSON.stringify(this.processes())}`);
    return own;
  }

  /** Closes the connections that are kept for the next request. */
  disconnect(): void {
    this.#agent.destroy();
    this.#agent = newAgent();
  }

  execute(code: string, query = ''): Promise<Answer> {
    return this.request('POST', `/execute${query}`, code);
  }

  submit(task: object, query = ''): Promise<Answer> {
    return this.request('POST', `/v1/tasks${query}`, JSON.stringify(task), {
      'content-type': 'application/json',
    });
  }

  request(
    method: string,
    path: string,
    body?: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { method, headers, agent: this.#agent };
      const outgoing = request(`${this.address}${path}`, options, async (response) => {
        const chunks: Buffer[] = [];
        try {
          for await (const chunk of response) chunks.push(chunk as Buffer);
        } catch (error) {
          reject(error);
          return;
        }
        const bytes = Buffer.concat(chunks);
        const isJson = /[/+]json/.test(response.headers['content-type'] ?? '');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: bytes,
          json: isJson ? (JSON.parse(bytes.toString()) as Record<string, unknown>) : {},
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

function newAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 64 });
}

function parentOf(pid: number): number {
  // After the name, which is in parentheses and may hold anything.
  return Number(readProc(pid, 'stat').split(') ').at(-1)?.split(' ')[1]);
}

/** Empty when the process is gone by now. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Where the http daemon of a service has its debug port. */
export function debugAddressOf({ log }: Service): string {
  const found = /"debugAddress":"([^"]+)"/.exec(log)?.[1];
  if (!found) throw new Error(`the log names no debug port:\n${log}`);
  return found;
}

/** Waits until a condition holds that something else brings about. Fails after two minutes. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Python's urllib.parse.quote_plus, with which existing clients encode. */
export function quotePlus(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
