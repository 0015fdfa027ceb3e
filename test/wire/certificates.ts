import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../../src/cli/certificate-maker.js';
import { createLog } from '../../src/log.js';
import { TlsCredentials, type TlsFiles } from '../../src/wire/tls-credentials.js';
import { Transport } from '../../src/wire/transport.js';

interface Test {
  teardown(action: () => unknown): void;
}

/** An authority of its own for a test, and the files of what it issues. */
export class TestAuthority {
  readonly folder: string;
  readonly #authority: Authority;

  private constructor(folder: string, authority: Authority) {
    this.folder = folder;
    this.#authority = authority;
  }

  static async create(t: Test): Promise<TestAuthority> {
    const folder = mkdtempSync(join(tmpdir(), 'scriptd-certs-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const { authority, issued } = await Authority.create();
    writeFileSync(join(folder, 'ca.crt'), issued.certificate);
    return new TestAuthority(folder, authority);
  }

  async files(role: string, hosts: readonly string[] = ['localhost']): Promise<TlsFiles> {
    const { certificate, key } = await this.#authority.issue(role, hosts);
    const path = (kind: string) => join(this.folder, `${role}.${kind}`);
    writeFileSync(path('crt'), certificate);
    writeFileSync(path('key'), key);
    return { cert: path('crt'), key: path('key'), ca: join(this.folder, 'ca.crt') };
  }

  /** What other parts trust as well. */
  trustToo(other: TestAuthority): void {
    appendFileSync(join(this.folder, 'ca.crt'), readFileSync(join(other.folder, 'ca.crt')));
  }

  async transport(role: string, hosts?: readonly string[]): Promise<Transport> {
    return transportOf(await this.files(role, hosts));
  }
}

export function transportOf(files: TlsFiles): Transport {
  // Looked at each time.
  return new Transport({ tls: new TlsCredentials(files, createLog('test', 'silent'), 0) });
}
