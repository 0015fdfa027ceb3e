import { ScriptdError } from '../errors.js';
import type { ByteWriter } from './byte-writer.js';

/** A file that the script finds in its work directory. */
export interface InputFile {
  /** 'a' or 'a/b': relative, no '.' or '..'. */
  name: string;
  content: Uint8Array;
  /** Permission bits, 0o644 when left out. */
  mode?: number;
}

/** What a script is started with, whatever it is started in. */
export interface Program {
  /** At least the name of the program. */
  argv: readonly string[];
  /** 'NAME=value' */
  env: readonly string[];
  /** Numbers as in asm-generic/resource.h. */
  limits: readonly (readonly [resource: number, soft: number, hard: number])[];
  files: readonly InputFile[];
}

const fileMode = 0o644;

/**
 * As native/sandbox/inside/program.cc reads it:
 *
 *     argv, env                 lists of strings
 *     limits                    list of resource u32, soft u64, hard u64
 *     files                     list of name, mode u32, content as a string
 */
export function writeProgram(writer: ByteWriter, { argv, env, limits, files }: Program): void {
  for (const list of [argv, env]) writer.list(list, (item) => writer.string(item));
  writer.list(limits, ([resource, soft, hard]) => {
    writer.u32(resource);
    writer.u64(soft);
    writer.u64(hard);
  });
  writer.list(files, ({ name, mode = fileMode, content }) => {
    writer.string(name);
    writer.u32(mode);
    writer.bytes(content);
  });
}

/** @throws ScriptdError EINVAL when a file of that name could not lie in the work directory. */
export function checkFileName(name: string): void {
  const parts = name.split('/');
  if (!name.includes('\0') && parts.every((part) => !['', '.', '..'].includes(part))) return;
  throw new ScriptdError(
    'EINVAL',
    `files: ${JSON.stringify(name)} is not a name below the work directory`,
  );
}
