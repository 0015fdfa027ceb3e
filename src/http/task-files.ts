import { type Fault, fileField, filesFault } from '../file-names.js';
import type { TaskFile } from '../task.js';
import { type BytesText, bytesJson, readBytes } from './json-bytes.js';
import { problem } from './problem.js';

/**
 * The files of a task, from an object of contents by name.
 *
 * @throws Problem INVALID_FIELD: `field` names the file.
 */
export function readFiles(files: unknown): TaskFile[] {
  if (typeof files !== 'object' || files === null || Array.isArray(files)) {
    const detail = '`files` must be an object: {"NAME": "text"} or {"NAME": {"base64": "..."}}';
    throw problem('INVALID_FIELD', detail, { field: 'files' });
  }
  const entries = Object.entries(files);
  // Their number and names first: what is not taken need not be decoded.
  refuse(filesFault(entries.map(([name]) => ({ name, content: none }))));
  const read = entries.map(([name, value]) => ({
    name,
    content: readBytes(fileField(name), value),
  }));
  refuse(filesFault(read));
  return read;
}

const none = new Uint8Array();

function refuse(fault: Fault | undefined): void {
  if (fault) throw problem('INVALID_FIELD', fault.message, { field: fault.field });
}

export interface FileJson {
  content: string;
  encoding: BytesText['encoding'];
  /** Of the file, not of `content`. */
  bytes: number;
}

/** Files that a task handed back, by name. */
export function filesJson(files: readonly TaskFile[]): Record<string, FileJson> {
  // Not by assignment: a script may call a file __proto__.
  return Object.fromEntries(
    files.map(({ name, content }) => {
      const { text, encoding } = bytesJson(content);
      return [name, { content: text, encoding, bytes: content.length }];
    }),
  );
}
