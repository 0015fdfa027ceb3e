/** Time that a browser takes, at most, to begin with saving. Milliseconds. */
const keptMs = 60_000;

/** Has the browser save it. @param name as scripts give it: of a path, the last part is taken */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name.split('/').at(-1) || 'file';
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), keptMs);
}
