import { getSystemErrorMap } from 'node:util';
import { exceptionReportName } from '../file-names.js';
import { limits as maxima } from '../limits.js';
import { validator } from '../schema.js';
import { Exception, type NotCollected, type Result, type TaskFile } from '../task.js';
import type { Collected, CollectOrder } from './collect.js';

const exceptions = validator(Exception);

/** What a script left in its work directory for its task. */
export interface HandedBack {
  /** Absent when it reported none, or none that makes sense. */
  exception?: Exception;
  /** Absent when no files were asked for. */
  files?: TaskFile[];
  filesNotCollected?: NotCollected[];
}

/** What is collected of a run; undefined when there is nothing that could be. */
export function collectOrder(
  collect: readonly string[] | undefined,
  reports: boolean,
): CollectOrder | undefined {
  const patterns = [...(reports ? [exceptionReportName] : []), ...(collect ?? [])];
  if (patterns.length === 0) return undefined;
  return {
    patterns,
    filesMax: maxima.filesMax + (reports ? 1 : 0),
    bytesMax: maxima.collectBytesMax + (reports ? maxima.exceptionBytesMax : 0),
  };
}

/** Sorts out what was collected. Its contents are the script's, and may be anything. */
export function handedBack(collected: Collected, asked: boolean): HandedBack {
  const report = collected.files.find(({ name }) => name === exceptionReportName);
  const exception = report && readReport(report.content);
  const parts: HandedBack = exception ? { exception } : {};
  if (!asked) return parts;
  const { files, refused } = withinLimit(collected.files.filter((file) => file !== report));
  const notCollected = [...refused, ...collected.notCollected.map(described)];
  return {
    ...parts,
    files,
    ...(notCollected.length > 0 && {
      filesNotCollected: notCollected.slice(0, maxima.filesMax),
    }),
  };
}

export function inResult({ exception, files, filesNotCollected }: HandedBack): Partial<Result> {
  return {
    ...(exception && { exception }),
    ...(files && { files }),
    ...(filesNotCollected && { filesNotCollected }),
  };
}

function readReport(content: Buffer): Exception | undefined {
  if (content.length > maxima.exceptionBytesMax) return undefined;
  try {
    const report: unknown = JSON.parse(content.toString());
    return exceptions.fits(report) ? report : undefined;
  } catch (error) {
    // The script may have written anything there; then its stderr has to do.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The report had room of its own, which is not the files'. */
function withinLimit(all: Collected['files']): { files: TaskFile[]; refused: NotCollected[] } {
  const files: TaskFile[] = [];
  const refused: NotCollected[] = [];
  let bytes = 0;
  for (const { name, content } of all) {
    // As no name on the wire may be: the controller would drop the worker for it, again and again.
    const isLong = Buffer.byteLength(name) > maxima.fileNameBytesMax;
    if (
      isLong ||
      bytes + content.length > maxima.collectBytesMax ||
      files.length >= maxima.filesMax
    ) {
      refused.push(described({ name, errno: isLong ? ENAMETOOLONG : EFBIG }));
    } else {
      bytes += content.length;
      files.push({ name, content });
    }
  }
  return { files, refused };
}

const EFBIG = 27;
const ENAMETOOLONG = 36;

const reasons: Readonly<Record<string, string>> = {
  ELOOP: 'it is a symbolic link',
  EISDIR: 'it is a directory',
  EINVAL: 'it is no regular file',
  EFBIG: `the files have more than ${maxima.collectBytesMax} bytes together`,
  EMFILE: `there are more than ${maxima.filesMax} files`,
  EBUSY: 'it changed while it was read',
  EXDEV: 'something is mounted there',
  EILSEQ: 'its name is not UTF-8',
  ENAMETOOLONG: 'its name is too long, or it lies too deep',
  E2BIG: 'there are too many files to look through',
};

function described({ name, errno }: Collected['notCollected'][number]): NotCollected {
  const [code = `ERRNO_${errno}`, text = 'it cannot be read'] =
    getSystemErrorMap().get(-errno) ?? [];
  return { name: name.slice(0, maxima.fileNameBytesMax), code, reason: reasons[code] ?? text };
}
