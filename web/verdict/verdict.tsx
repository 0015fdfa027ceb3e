import './verdict.css';
import { bytesOf, type Task } from '../../src/client/task.js';
import { StateBadge } from '../ui/badge.js';
import { bytes } from '../ui/format.js';
import { download } from './download.js';
import { VisibleText } from './visible-text.js';

/** How a task ended, in words: what it is, why, and what came of it beside its output. */
export function Verdict({ task }: { task: Task }) {
  const { code, reason, exitCode, signal, truncated, format, files, filesNotCollected } = task;
  const cut = (['stdout', 'stderr'] as const).filter((stream) => truncated?.[stream]);
  return (
    <div class="verdict">
      <p class="verdict-line">
        <StateBadge task={task} />
        {code && <code class="tag">{code}</code>}
        {exitCode !== undefined && <span class="hint">exit code {exitCode}</span>}
        {signal !== undefined && <span class="hint">signal {signal}</span>}
      </p>
      {reason && (
        <p class="verdict-reason">
          <VisibleText text={reason} />
        </p>
      )}
      {format && <FormatMismatch format={format} />}
      {cut.map((stream) => (
        <p key={stream} class="hint">
          {stream} went over its limit: kept are its beginning and its last 4 KiB.
        </p>
      ))}
      {files && Object.keys(files).length > 0 && <Files files={files} />}
      {filesNotCollected && filesNotCollected.length > 0 && (
        <NotCollected files={filesNotCollected} />
      )}
    </div>
  );
}

function FormatMismatch({ format }: { format: NonNullable<Task['format']> }) {
  const rows = [
    ['expected', format.expected],
    ['at', format.at],
    ['got', format.got],
  ] as const;
  return (
    <dl class="verdict-format">
      {rows.map(
        ([name, text]) =>
          text !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="mono">
                <VisibleText text={text} />
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Files({ files }: { files: NonNullable<Task['files']> }) {
  return (
    <div>
      <h3>Files</h3>
      <ul class="verdict-files">
        {Object.entries(files).map(([name, { content, encoding, bytes: size }]) => (
          <li key={name}>
            <span class="mono">
              <VisibleText text={name} />
            </span>
            <span class="hint">{bytes(size)}</span>
            <button
              type="button"
              class="small"
              onClick={() => download(name, blobOf(content, encoding))}
            >
              Download<span class="only-read"> {name}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Of a type that has no ending: its name stays as it is. */
function blobOf(content: string, encoding: 'utf-8' | 'base64'): Blob {
  const bytes = Uint8Array.from(bytesOf(content, encoding));
  return new Blob([bytes], { type: 'application/octet-stream' });
}

function NotCollected({ files }: { files: NonNullable<Task['filesNotCollected']> }) {
  return (
    <div>
      <h3>Files not handed back</h3>
      <ul class="verdict-files">
        {files.map(({ name, code, reason }) => (
          <li key={name}>
            <span class="mono">
              <VisibleText text={name} />
            </span>
            <span class="hint">
              {reason} <code>{code}</code>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
