import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const startAttemptsMax = 6_000;

/** A Redis of this bench's own. */
export interface RedisServer {
  /** Of its Unix socket. */
  path: string;
  stop(): Promise<void>;
}

/**
 * What of a job is not lost with the power: nothing, as most who use BullMQ have it; or all, each change
 * flushed to the disk before it is answered.
 */
export type RedisPersistence = 'none' | 'always';

const persistenceFlags = {
  none: ['--appendonly', 'no'],
  always: ['--appendonly', 'yes', '--appendfsync', 'always'],
} satisfies Record<RedisPersistence, string[]>;

/** On a Unix socket, which is faster than TCP. */
export async function startRedis(persistence: RedisPersistence): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-bench-redis-'));
  const path = join(folder, 's');
  const flags = [
    '--port',
    '0',
    '--unixsocket',
    path,
    '--save',
    '',
    ...persistenceFlags[persistence],
  ];
  const child = spawn('redis-server', [...flags, '--dir', folder], { stdio: 'ignore' });
  const gone = once(child, 'exit').catch((cause: unknown) => {
    throw new Error('this bench needs redis-server (Debian: redis-server)', { cause });
  });
  for (let attempt = 0; !existsSync(path); attempt++) {
    if (attempt === startAttemptsMax) throw new Error('redis-server does not listen');
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 10))]);
  }
  return {
    path,
    async stop() {
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
