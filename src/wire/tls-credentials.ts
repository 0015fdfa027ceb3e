import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
} from 'node:tls';
import { errorMessage, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { wireLimits } from './limits.js';

/** Paths of PEM files. */
export interface TlsFiles {
  /** Certificate of this part, and those between it and the authority, if there are any. */
  cert: string;
  key: string;
  /** The authorities whose certificates are taken: nobody else's. */
  ca: string;
}

/** From here on every day has a warning in the log. */
const expiresSoonMs = 30 * 86_400_000;
const dayMs = 86_400_000;

interface Loaded {
  options: SecureContextOptions;
  context: SecureContext;
  /** When the certificate ends. Milliseconds since 1970-01-01 UTC. */
  validUntilMs: number;
  /** Of the three files: modification time and inode. */
  version: string;
}

/**
 * Certificate, key and authority of this part. Files that have changed are read again, for
 * connections that are made after that.
 */
export class TlsCredentials {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #lookMs: number;
  #loaded: Loaded;
  #lookedAtMs = performance.now();
  #warnedAtMs = 0;
  /** That wait for a connection: to make one takes a millisecond. */
  #servers: Server[] = [];

  /**
   * @param lookMs between two looks at the files
   * @throws ScriptdError TLS_FILES when one of them can't be read or does not fit the others.
   */
  constructor(files: TlsFiles, log: Log, lookMs: number = wireLimits.tlsFilesLookMs) {
    this.#files = files;
    this.#log = log;
    this.#lookMs = lookMs;
    this.#loaded = load(files);
    this.#warn();
  }

  get context(): SecureContext {
    this.#refresh();
    return this.#loaded.context;
  }

  /** One that serves one handshake at a time, so that it is known whose events it has. */
  takeServer(): Server {
    this.#refresh();
    return (
      this.#servers.pop() ??
      createServer({
        ...this.#loaded.options,
        requestCert: true,
        rejectUnauthorized: true,
        handshakeTimeout: wireLimits.handshakeMs,
      })
    );
  }

  /** Its handshake succeeded: it may serve another one. */
  returnServer(server: Server): void {
    if (this.#servers.length < wireLimits.tlsServersKept) this.#servers.push(server);
  }

  #refresh(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < this.#lookMs) return;
    this.#lookedAtMs = nowMs;
    if (nowMs - this.#warnedAtMs > dayMs) this.#warn();
    try {
      if (versionOf(this.#files) === this.#loaded.version) return;
      this.#loaded = load(this.#files);
      this.#servers = [];
      this.#log.info('the certificate files have changed: read them again');
      this.#warn();
    } catch (error) {
      this.#log.error(`the certificates stay those of before: ${errorMessage(error)}`);
    }
  }

  /** Before the day comes on which nobody takes it any more. */
  #warn(): void {
    this.#warnedAtMs = performance.now();
    const leftMs = this.#loaded.validUntilMs - Date.now();
    if (leftMs > expiresSoonMs) return;
    const when = new Date(this.#loaded.validUntilMs).toISOString();
    const text = `the certificate ${this.#files.cert} ends at ${when}: scriptd certs renew`;
    this.#log[leftMs > 0 ? 'warn' : 'error'](text);
  }
}

function load(files: TlsFiles): Loaded {
  try {
    const version = versionOf(files);
    const options: SecureContextOptions = {
      cert: readFileSync(files.cert),
      key: readFileSync(files.key),
      ca: readFileSync(files.ca),
      minVersion: 'TLSv1.3',
    };
    const context = createSecureContext(options);
    const validUntilMs = Date.parse(new X509Certificate(options.cert as Buffer).validTo);
    return { options, context, validUntilMs, version };
  } catch (cause) {
    const text =
      `the certificate ${files.cert}, its key ${files.key} and the authority ${files.ca} cannot be ` +
      `used: ${errorMessage(cause)}; make them with: scriptd certs init`;
    throw new ScriptdError('TLS_FILES', text, { cause });
  }
}

function versionOf({ cert, key, ca }: TlsFiles): string {
  return [cert, key, ca]
    .map((path) => {
      const { mtimeMs, ino } = statSync(path);
      return `${mtimeMs}/${ino}`;
    })
    .join(' ');
}
