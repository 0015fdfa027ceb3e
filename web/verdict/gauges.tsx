import './verdict.css';
import { bytesOf, type Task } from '../../src/client/task.js';
import { bytes, count, milliseconds } from '../ui/format.js';

export interface GaugesProps {
  task: Task;
  /** Size of its outputs, where the task does not have them with it. */
  outputBytes?: { stdout: number; stderr: number };
}

interface Gauge {
  name: string;
  used: number;
  limit: number | undefined;
  format: (value: number) => string;
}

/** What a task used, against what it may. */
export function Gauges({ task, outputBytes }: GaugesProps) {
  const gauges = gaugesOf(task, outputBytes ?? outputBytesOf(task));
  if (gauges.length === 0) return null;
  return (
    <section class="gauges" aria-label="What it used">
      <div class="part-head">
        <h3>What it used</h3>
      </div>
      <dl>
        {gauges.map((gauge) => (
          <GaugeRow key={gauge.name} {...gauge} />
        ))}
      </dl>
    </section>
  );
}

function GaugeRow({ name, used, limit, format }: Gauge) {
  const share = limit ? used / limit : 0;
  const look = share >= 1 ? 'full' : share >= 0.85 ? 'high' : '';
  return (
    <div class="gauge">
      <dt>{name}</dt>
      <dd>
        <span class={limit === undefined ? 'gauge-bar none' : 'gauge-bar'} aria-hidden="true">
          <i class={look} style={{ width: `${Math.min(100, share * 100)}%` }} />
        </span>
        <span class="gauge-text">
          {format(used)}
          <span class="dim">
            {limit === undefined ? ' · no limit' : ` of ${format(limit)}`}
            {look !== '' && ` · ${Math.round(share * 100)} %`}
          </span>
        </span>
      </dd>
    </div>
  );
}

function gaugesOf(task: Task, output: GaugesProps['outputBytes']): Gauge[] {
  const { usage, limits } = task;
  const gauges: Gauge[] = [];
  const add = (
    name: string,
    used: number | undefined,
    limit: number | undefined,
    format: Gauge['format'],
  ) => {
    if (used !== undefined) gauges.push({ name, used, limit, format });
  };
  add('wall time', usage?.wallMs, limits.wallMs, milliseconds);
  add('processor time', usage?.cpuMs, limits.cpuMs, milliseconds);
  add('memory', usage?.memoryPeakBytes, limits.memoryBytes, bytes);
  add('processes', usage?.processesPeak, limits.processes, count);
  add('stdout', output?.stdout, limits.outputBytes, bytes);
  if (output?.stderr) add('stderr', output.stderr, limits.outputBytes, bytes);
  return gauges;
}

function outputBytesOf(task: Task): GaugesProps['outputBytes'] {
  const { stdout, stderr, stdoutEncoding, stderrEncoding } = task;
  if (stdout === undefined || stderr === undefined) return undefined;
  return {
    stdout: bytesOf(stdout, stdoutEncoding).length,
    stderr: bytesOf(stderr, stderrEncoding).length,
  };
}
