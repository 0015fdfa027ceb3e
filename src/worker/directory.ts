import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { removeTree } from './removal.js';
import { checkFileName, type InputFile } from './sandbox-plan.js';

const modePrivate = 0o700;
/** Names that this and earlier workers give; nothing else in the folder is ever touched. */
const runName = /^[0-9a-f]{6}-[0-9.]+$/;

/**
 * The folder in which one worker makes a directory for each run. It belongs to that worker alone:
 * what a predecessor of the same name left there is removed at start.
 */
export class WorkRoot {
  readonly path: string;
  readonly #log: Log;
  /** Told apart from what a predecessor left, and never used twice. */
  readonly #prefix = `${randomBytes(3).toString('hex')}-`;
  readonly #removals = new Set<Promise<void>>();
  #created = 0;

  /** @throws ScriptdError WORK_DIRECTORY when it cannot be made, or others could plant files in it. */
  constructor(path: string, log: Log) {
    this.path = path;
    this.#log = log;
    try {
      mkdirSync(path, { recursive: true, mode: modePrivate });
      assertOurs(path);
    } catch (cause) {
      if (cause instanceof ScriptdError) throw cause;
      const text = `the work directory ${path} cannot be used`;
      throw new ScriptdError('WORK_DIRECTORY', text, { cause });
    }
  }

  /** Writes the files that stand beside all runs, and removes what was left here. */
  prepare(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(this.path, name), content);
    }
    for (const name of readdirSync(this.path)) if (runName.test(name)) this.#removeLater(name);
  }

  /** Makes a directory with these files in it. @throws Error with code and syscall, as of node:fs */
  create(files: readonly InputFile[]): WorkDirectory {
    const name = `${this.#prefix}${++this.#created}`;
    const path = join(this.path, name);
    mkdirSync(path, { mode: modePrivate });
    try {
      for (const file of files) writeInput(path, file);
    } catch (error) {
      this.#removeLater(name);
      throw error;
    }
    const first = files[0]?.name;
    return { path, remove: () => this.#remove(name, first) };
  }

  /** Resolves when nothing is being removed any more. */
  async settled(): Promise<void> {
    while (this.#removals.size > 0) await Promise.all(this.#removals);
  }

  /** Most runs leave nothing but their script; for those the detour over threads is not worth it. */
  #remove(name: string, file: string | undefined): void {
    try {
      if (file !== undefined) unlinkSync(join(this.path, name, file));
      rmdirSync(join(this.path, name));
    } catch {
      // Whatever is the matter with it, the thorough way finds out and says so.
      this.#removeLater(name);
    }
  }

  #removeLater(name: string): void {
    const removal = removeTree(this.path, name)
      .catch((error: unknown) => {
        this.#log.warn({ err: error, directory: join(this.path, name) }, 'directory not removed');
      })
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }
}

/** The directory of one run: its cwd, HOME and TMPDIR. */
export interface WorkDirectory {
  /** Absolute. */
  path: string;
  /** Removes it, soon; what fails is logged. */
  remove(): void;
}

/** Nothing runs in the directory yet, so that nobody can plant a link there. */
function writeInput(directory: string, { name, content, mode }: InputFile): void {
  checkFileName(name);
  const path = join(directory, name);
  if (name.includes('/')) mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { flag: 'wx', mode: mode ?? 0o644 });
}

/** A directory, not a link to one, that nobody else owns or may write to. */
function assertOurs(path: string): void {
  const status = lstatSync(path);
  if (!status.isDirectory()) {
    throw new ScriptdError('WORK_DIRECTORY', `${path} is not a directory; name another`);
  }
  if (status.uid !== process.geteuid?.()) {
    throw new ScriptdError('WORK_DIRECTORY', `${path} belongs to user ${status.uid}; name another`);
  }
  if ((status.mode & 0o022) !== 0) {
    const text = `others may write to ${path}: chmod go-w it, or name another`;
    throw new ScriptdError('WORK_DIRECTORY', text);
  }
}
