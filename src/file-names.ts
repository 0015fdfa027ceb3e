import { limits } from './limits.js';

/** What the files may be called that a task is given and hands back, and how many they may be. */

/** Where an interpreter's bootstrap leaves its report of an uncaught exception. */
export const exceptionReportName = '.scriptd-exception.json';

/** What the worker may call the script: it stands beside the files. */
const scriptName = /^script(?:\.[A-Za-z0-9_-]{1,16})?$/;

/** Why something is refused: the field, and a sentence with the cure. */
export interface Fault {
  field: string;
  message: string;
}

interface NamedFile {
  name: string;
  content: Uint8Array;
}

/**
 * Why a task can't be given these files, if so: their names, their number, their bytes, two of one
 * name, or one whose name is a folder of another.
 */
export function filesFault(files: readonly NamedFile[]): Fault | undefined {
  if (files.length > limits.filesMax) {
    const message = `\`files\` has ${files.length} files; at most ${limits.filesMax} are allowed`;
    return { field: 'files', message: `${message}: pack them into one` };
  }
  const names = new Set<string>();
  for (const { name } of files) {
    const fault = nameFault(name) ?? (names.has(name) ? 'is there twice' : undefined);
    if (fault) return { field: fileField(name), message: `the file ${quoted(name)} ${fault}` };
    names.add(name);
  }
  for (const name of names) {
    const folder = foldersOf(name).find((path) => names.has(path));
    if (folder === undefined) continue;
    const message = `the file ${quoted(name)} lies in ${quoted(folder)}, which is a file too`;
    return { field: fileField(name), message: `${message}: rename one of them` };
  }
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes <= limits.filesBytesMax) return undefined;
  const most = `at most ${limits.filesBytesMax} are allowed`;
  const message = `\`files\` take ${bytes} bytes together; ${most}: let the script fetch the rest`;
  return { field: 'files', message };
}

/** The field of a file within a task, cut to what a refusal may carry. */
export function fileField(name: string): string {
  return `files.${name}`.slice(0, fieldMax);
}

/** Why no files can be asked for by these patterns, if so. */
export function collectFault(patterns: readonly string[]): Fault | undefined {
  let components = 0;
  for (const [index, pattern] of patterns.entries()) {
    const fault = pattern === exceptionReportName ? reserved : pathFault(pattern);
    if (fault) {
      return { field: `collect.${index}`, message: `the pattern ${quoted(pattern)} ${fault}` };
    }
    components += pattern.split('/').length;
  }
  if (components <= limits.collectComponentsMax) return undefined;
  const most = `at most ${limits.collectComponentsMax} are allowed`;
  const message = `the patterns in \`collect\` have ${components} components together; ${most}`;
  return { field: 'collect', message: `${message}: ask for folders with \`**\`` };
}

/** What these files and a script need of a file system whose pages have 4,096 bytes. */
export function spaceOf(
  files: readonly NamedFile[],
  codeBytes: number,
): { bytes: number; files: number } {
  const folders = new Set(files.flatMap(({ name }) => foldersOf(name)));
  const sizes = [codeBytes, ...files.map(({ content }) => content.length)];
  const pages = sizes.reduce((sum, size) => sum + Math.ceil(size / pageBytes), 0);
  // One for the script, one for the work directory itself.
  return { bytes: pages * pageBytes, files: files.length + folders.size + 2 };
}

const pageBytes = 4096;
/** UTF-16 units of a field's name and of a name in a sentence. */
const fieldMax = 128;
const reserved = 'has a name that scriptd keeps for itself: choose another';

function nameFault(name: string): string | undefined {
  const fault = pathFault(name);
  if (fault) return fault;
  const first = name.split('/', 1)[0] ?? '';
  if (first === exceptionReportName) return reserved;
  if (!scriptName.test(first)) return undefined;
  return 'has a name that is kept for the script itself (`script`, `script.py` and the like): choose another';
}

/** Of a name and of a pattern alike: that it stays below the work directory and can exist there. */
function pathFault(path: string): string | undefined {
  if (path === '') return 'has an empty name: give it one';
  if (path.includes('\0')) return 'has a NUL in its name: leave it out';
  if (/\p{Surrogate}/u.test(path)) {
    return 'has half a surrogate pair in its name, which is no character: leave it out';
  }
  if (path.includes('\\')) return 'has a backslash in its name: folders are separated by /';
  if (path.startsWith('/')) return 'is absolute: leave out the / at the beginning';
  if (Buffer.byteLength(path) > limits.fileNameBytesMax) {
    return `has a name of more than ${limits.fileNameBytesMax} bytes: choose a shorter one`;
  }
  const components = path.split('/');
  if (components.includes('')) return 'has an empty component: leave out the superfluous /';
  const dots = components.find((component) => component === '.' || component === '..');
  if (dots) return `has a component \`${dots}\`: name it from the work directory, without that`;
  if (components.length > limits.fileDepthMax) {
    return `is nested deeper than ${limits.fileDepthMax} components: use fewer folders`;
  }
  const isLong = (component: string) =>
    Buffer.byteLength(component) > limits.fileNameComponentBytesMax;
  if (!components.some(isLong)) return undefined;
  return `has a component of more than ${limits.fileNameComponentBytesMax} bytes: choose a shorter one`;
}

/** `a/b/c` → `a`, `a/b` */
function foldersOf(name: string): string[] {
  const components = name.split('/');
  return components.slice(1).map((_, index) => components.slice(0, index + 1).join('/'));
}

function quoted(name: string): string {
  return JSON.stringify(name.length > fieldMax ? `${name.slice(0, fieldMax)}…` : name);
}
