import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, BenchOptions } from '../harness.js';
import { p50Ms } from '../programs.js';
import { type AbsentRow, type BenchRow, compare } from '../row.js';
import { type Service, startService } from '../service.js';
import { p50MsPrepared, type Rig, startRig } from '../start.js';
import { goJudge, startGoJudge } from './go-judge.js';
import { type IsolateBox, isolate, openIsolateBox } from './isolate.js';
import type { PeerProgram } from './program.js';

/** What both sides can see: an interpreter in somebody's home is in neither's sandbox. */
const python = '/usr/bin/python3';
const printOne = [python, '-c', 'print(1)'] as const;
const nothing = ['/bin/true'] as const;
const config = `runtimes:
  python: {interpreter: ${python}}
  nothing: {command: [${nothing[0]}], env: {LANG: C}}
`;

/** Other sandboxes, where they are installed: rows for information, without a bar. */
export const peers: Bench = {
  name: 'peers',
  what: 'the same programs in other sandboxes, go-judge and isolate, where they are installed',
  async run(options) {
    if (!existsSync(python)) throw new Error(`peers needs ${python}: install python3`);
    return [...(await againstGoJudge(options)), ...(await againstIsolate(options))];
  },
};

type Row = BenchRow | AbsentRow;

function isNotHere({ name, cure }: PeerProgram, rows: readonly string[]): AbsentRow[] {
  return rows.map((row) => ({ name: row, absent: `${name}; ${cure}` }));
}

const goJudgeRows = ['execute /bin/true, go-judge', 'execute print(1), go-judge'] as const;

/** Both over HTTP, with the same client and one connection, one run after the other. */
async function againstGoJudge({ smoke }: BenchOptions): Promise<Row[]> {
  const program = goJudge.path();
  if (program === undefined) return isNotHere(goJudge, goJudgeRows);
  const service = await startWithBoth();
  const judge = await startGoJudge(program);
  const runs = smoke ? 2 : 60;
  const shared = { unit: 'ms p50', reference: 'go-judge, POST /run', rounds: smoke ? 1 : 7 };
  const [trueRow, printRow] = goJudgeRows;
  try {
    return [
      await compare({
        ...{ name: trueRow, ...shared },
        measure: () => p50Ms(runs, () => runNothing(service)),
        measureReference: () => p50Ms(runs, () => judge.run(nothing, '')),
      }),
      await compare({
        ...{ name: printRow, ...shared },
        measure: () => p50Ms(runs, () => service.execute('print(1)', '1\n')),
        measureReference: () => p50Ms(runs, () => judge.run(printOne, '1\n')),
      }),
    ];
  } finally {
    await Promise.all([service.stop(), judge.stop()]);
  }
}

function startWithBoth(): Promise<Service> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-bench-'));
  const file = join(dataDir, 'scriptd.yaml');
  writeFileSync(file, config);
  const workers = 'python=2,nothing=2';
  return startService({ clients: 1, workers, dataDir, flags: [`--config=${file}`] });
}

async function runNothing(service: Service): Promise<void> {
  const { status, body } = await service.http.request('POST', '/execute?type=nothing', '#');
  if (status !== 200 || body.length > 0) throw new Error(`answered: ${body}`);
}

const isolateRows = ['start-cold, isolate', 'start-warm, isolate'] as const;

/** Neither over HTTP: what a worker does for a run, against isolate around the program. */
async function againstIsolate({ smoke }: BenchOptions): Promise<Row[]> {
  const program = isolate.path();
  if (program === undefined) return isNotHere(isolate, isolateRows);
  const runs = smoke ? 2 : 40;
  const shared = { unit: 'ms p50', reference: 'isolate --run', rounds: smoke ? 1 : 7 };
  const [coldRow, warmRow] = isolateRows;
  const definition = { command: nothing, env: { LANG: 'C' } };
  return [
    await withRig(startRig('nothing', definition, { prepared: false }), program, (rig, box) =>
      compare({
        ...{ name: coldRow, ...shared },
        measure: () => p50Ms(runs, () => rig.run('')),
        measureReference: () => p50Ms(runs, () => box.run(nothing, '')),
      }),
    ),
    await withRig(
      startRig('python', { interpreter: python }, { prepared: true }),
      program,
      (rig, box) =>
        compare({
          ...{ name: warmRow, ...shared },
          measure: () => p50MsPrepared(runs, rig),
          measureReference: () => p50Ms(runs, () => box.run(printOne, '1\n')),
        }),
    ),
  ];
}

/** One rig at a time: all of a process share a cgroup. */
async function withRig(
  starting: Promise<Rig>,
  program: string,
  measure: (rig: Rig, box: IsolateBox) => Promise<BenchRow>,
): Promise<BenchRow> {
  const rig = await starting;
  try {
    const box = openIsolateBox(program, rig.poller);
    try {
      return await measure(rig, box);
    } finally {
      box.remove();
    }
  } finally {
    await rig.stop();
  }
}
