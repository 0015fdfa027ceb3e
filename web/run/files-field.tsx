import { useRef, useState } from 'preact/hooks';
import { bytesOf, type Content } from '../../src/client/task.js';
import { sentenceOf } from '../api/problem.js';
import { bytes } from '../ui/format.js';
import { VisibleText } from '../verdict/visible-text.js';
import { draft, edit } from './draft.js';
import { Field } from './field.js';

/** What the service takes of all files together. Bytes. */
const filesBytesMax = 4 * 1024 * 1024;

/** Files that lie beside the script while it runs. */
export function FilesField() {
  const chooser = useRef<HTMLInputElement>(null);
  const [fault, setFault] = useState('');
  const files = Object.entries(draft.value.files);
  const add = async (chosen: File[]) => {
    setFault('');
    try {
      const more = await contentsOf(chosen);
      edit({ files: { ...draft.peek().files, ...more } });
    } catch (error) {
      setFault(sentenceOf(error));
    }
    if (chooser.current) chooser.current.value = '';
  };
  const remove = (name: string) => {
    edit({ files: Object.fromEntries(files.filter(([other]) => other !== name)) });
  };
  return (
    <Field name="files" label="Files beside the script">
      {(control) => (
        <>
          <input
            {...control}
            ref={chooser}
            type="file"
            multiple
            onChange={(event) => void add([...(event.currentTarget.files ?? [])])}
          />
          {fault !== '' && (
            <p class="fault" role="alert">
              {fault}
            </p>
          )}
          {files.length > 0 && (
            <ul class="files">
              {files.map(([name, content]) => (
                <li key={name}>
                  <span class="mono">
                    <VisibleText text={name} />
                  </span>
                  <span class="hint">{bytes(sizeOf(content))}</span>
                  <button type="button" class="small plain" onClick={() => remove(name)}>
                    Remove<span class="only-read"> {name}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </Field>
  );
}

/** @throws Error with a sentence: together they are too large */
async function contentsOf(files: readonly File[]): Promise<Record<string, Content>> {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > filesBytesMax) {
    throw new Error(`These have ${bytes(size)}; a script takes ${bytes(filesBytesMax)} of files.`);
  }
  const entries = files.map(async (file) => [file.name, await contentOf(file)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function contentOf(file: File): Promise<Content> {
  const content = new Uint8Array(await file.arrayBuffer());
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch (error) {
    // No text: its bytes.
    if (!(error instanceof TypeError)) throw error;
  }
  let binary = '';
  for (const byte of content) binary += String.fromCharCode(byte);
  return { base64: btoa(binary) };
}

function sizeOf(content: Content): number {
  return typeof content === 'string'
    ? bytesOf(content).length
    : Math.floor((content.base64.replace(/=+$/, '').length * 3) / 4);
}
