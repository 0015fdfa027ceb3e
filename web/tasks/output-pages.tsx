import { useEffect } from 'preact/hooks';
import { bytes } from '../ui/format.js';
import { Output } from '../verdict/output.js';
import type { StoredOutput } from './stored-output.js';

/** One output of a task that has ended, as far as somebody wants to see it. */
export function OutputPages({ output }: { output: StoredOutput }) {
  useEffect(() => {
    void output.more();
    return () => output.stop();
  }, [output]);
  const { stream, path } = output;
  const total = output.totalBytes.value;
  const loaded = output.loadedBytes.value;
  const end = output.end.value;
  if (total === undefined) {
    return output.fault.value === '' ? (
      <p class="dim">Loading {stream} …</p>
    ) : (
      <Fault output={output} />
    );
  }
  return (
    <div class="output-pages">
      <Output
        text={output.text}
        label={stream}
        byteCount={loaded}
        source={path}
        isPaged
        empty={`Nothing was written to ${stream}.`}
      />
      {end && (
        <>
          <p class="gap dim">{bytes(Math.max(0, end.from - loaded))} between are not loaded.</p>
          <Output text={end.text} label={`end of ${stream}`} source={path} isLive />
        </>
      )}
      {loaded < total && (
        <div class="pages">
          <span class="dim">
            {bytes(loaded)} of {bytes(total)} loaded
          </span>
          <Page output={output} label="More" act={() => output.more()} />
          {!end && <Page output={output} label="End" act={() => output.last()} />}
        </div>
      )}
      <Fault output={output} />
    </div>
  );
}

interface PageProps {
  output: StoredOutput;
  label: string;
  act(): Promise<void>;
}

function Page({ output, label, act }: PageProps) {
  return (
    <button type="button" class="small" disabled={output.isAsking.value} onClick={() => void act()}>
      {label}
      <span class="only-read"> of {output.stream}</span>
    </button>
  );
}

function Fault({ output }: { output: StoredOutput }) {
  if (output.fault.value === '') return null;
  return (
    <p class="fault" role="alert">
      {output.fault.value}{' '}
      <button type="button" class="small" onClick={() => void output.more()}>
        Try again
      </button>
    </p>
  );
}
