/** Time that a browser takes, at most, to begin with saving. Milliseconds. */
const keptMs = 60_000;

/** Controls and marks of direction, with which a name looks like one of another kind. */
const deceiving = /[\p{Cc}\p{Cf}]/gu;

/** Has the browser save it. @param name as scripts give it: of a path, the last part is taken */
export function download(name: string, content: Blob): void {
  // Of any other type, browsers may put an ending to the name.
  const bytes = content.slice(0, content.size, 'application/octet-stream');
  const url = URL.createObjectURL(bytes);
  const link = document.createElement('a');
  link.href = url;
  link.download = (name.split('/').at(-1) || 'file').replace(deceiving, '_');
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), keptMs);
}
