import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadAddon, packageRoot } from '../../src/native.js';
import { readStatus } from '../../src/worker/process-end.js';
import { startProcess } from '../../src/worker/sandbox.js';
import type { SpawnPlan } from '../../src/worker/spawn-plan.js';
import { type Instruction, instructionsOf, verdictOf } from './bpf.js';
import { deniedByArgument, deniedCalls, errnos, through } from './denied-calls.js';
import { strictPlan, skip as withoutSandbox } from './sandbox-plans.js';
import { drainedBytes, finish, python, shell } from './sandbox-process.js';

const skip = process.arch === 'x64' ? false : 'the numbers are those of x86-64';
const addon = loadAddon('sandbox') as { filterProgram(truncates: boolean): Uint8Array };
const ours = instructionsOf(addon.filterProgram(true));
const architectures = {
  x86_64: 0xc000003e,
  i386: 0x40000003,
  aarch64: 0xc00000b7,
  arm: 0x40000028,
};
const kill = 0x80000000;
const allow = 0x7fff0000;
const errno = (number: number) => 0x50000 | number;
/** Numbers that libc 2.5.4 of seccomp has no name for; they are checked without it. */
const tooNew = ['statmount', 'listmount', 'open_tree_attr'];

/** Calls whose arguments decide. */
const byArgument = new Map(deniedByArgument.map(([name, number]) => [number, name]));

t.test('the program gives each call of the list its errno, and no other', { skip }, async (t) => {
  const byNumber = new Map(Object.values(deniedCalls));
  for (let number = 0; number <= 600; number++) {
    if (byArgument.has(number)) continue;
    const denied = byNumber.get(number);
    const verdict = verdictOf(ours, call(number));
    t.equal(verdict, denied === undefined ? allow : errno(denied), `${number}`);
  }
  for (const [name, number, args, denied] of deniedByArgument) {
    const wanted = denied === through ? allow : errno(denied);
    t.equal(verdictOf(ours, call(number, ...args)), wanted, `${name} ${args}`);
  }
});

t.test('where Landlock does not see to truncate, it is denied too', { skip }, async (t) => {
  const older = instructionsOf(addon.filterProgram(false));
  t.equal(verdictOf(older, call(76)), errno(errnos.EPERM));
  for (let number = 0; number <= 600; number++) {
    if (number !== 76) t.equal(verdictOf(older, call(number)), verdictOf(ours, call(number)));
  }
});

t.test('foreign architectures and x32 are killed', { skip }, async (t) => {
  for (const architecture of [0, ...Object.values(architectures)]) {
    if (architecture === native()) continue;
    for (const number of [0, 39, 56, 435]) {
      t.equal(verdictOf(ours, { number, architecture, args: [] }), kill);
    }
  }
  for (const number of [0, 1, 59, 312, 512, 547]) {
    t.equal(verdictOf(ours, call(0x40000000 + number)), kill);
  }
});

t.test("libseccomp's program of the same list gives the same verdicts", { skip }, async (t) => {
  const theirs = libseccompProgram(t);
  if (!theirs) return;
  let compared = 0;
  const compare = (number: number, args: readonly bigint[], architecture = native()) => {
    const data = { number, architecture, args };
    const [a, b] = [verdictOf(ours, data), verdictOf(theirs, data)];
    if (a !== b) t.equal(a, b, `call ${number} (${args}) of ${architecture.toString(16)}`);
    compared++;
  };
  const values = interestingValues();
  const unknown = new Set(tooNew.map((name) => deniedCalls[name]?.[0]));
  for (let number = 0; number <= 600; number++) {
    if (unknown.has(number)) continue;
    for (const value of byArgument.has(number) ? values : [0n, ~0n]) {
      compare(number, [value, 0n]);
      compare(number, [0n, value]);
      for (const other of [0n, 1n, 1n << 32n]) {
        compare(number, [value, 0n, other]);
        compare(number, [other, 0n, value]);
      }
    }
  }
  for (const architecture of Object.values(architectures)) {
    if (architecture === native()) continue;
    for (let number = 0; number <= 600; number++) compare(number, [0n, 0n], architecture);
  }
  // Not -1, which libseccomp lets through on behalf of tracers.
  for (let number = 0; number <= 600; number++) compare(0x40000000 + number, [0n, 0n]);
  t.ok(compared > 5000, `${compared} compared`);
});

/** Small ones, single bits, their neighbours, and the same with something in the high half. */
function interestingValues(): bigint[] {
  const values = new Set<bigint>();
  for (let small = 0n; small < 70n; small++) values.add(small);
  for (let bit = 0n; bit < 64n; bit++) {
    for (const near of [-1n, 0n, 1n]) values.add(BigInt.asUintN(64, (1n << bit) + near));
  }
  for (const [, , args] of deniedByArgument) for (const arg of args) values.add(arg);
  for (const request of [0x5411n, 0x5412n, 0x5413n, 0x541bn, 0x541cn, 0x541dn]) values.add(request);
  for (const value of [...values]) values.add(BigInt.asUintN(64, value | (1n << 32n)));
  return [...values];
}

/** Undefined, and the test skipped, when libseccomp or a compiler is missing. */
function libseccompProgram(t: Test): Instruction[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-seccomp-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'program');
  const source = join(packageRoot, 'test', 'fixtures', 'seccomp_program.c');
  const compiled = spawnSync('cc', ['-o', program, source, '-lseccomp'], { encoding: 'utf8' });
  if (compiled.status !== 0) {
    const message = `needs cc and libseccomp (Debian: apt-get install gcc libseccomp-dev)`;
    if (process.env.SCRIPTD_TEST_ALL) t.fail(`${message}: ${compiled.stderr ?? compiled.error}`);
    else t.comment(message);
    return undefined;
  }
  const list = Object.entries(deniedCalls)
    .filter(([name]) => !tooNew.includes(name))
    .map(([name, [, error]]) => `${name} ${error}\n`)
    .join('');
  return instructionsOf(execFileSync(program, { input: list }));
}

function native(): number {
  return architectures.x86_64;
}

function call(number: number, ...args: bigint[]) {
  return { number, architecture: native(), args };
}

// From here on the calls are really made.

const levels: Record<string, { plan: Partial<SpawnPlan>; missing: string | false }> = {
  basic: {
    plan: { basic: { landlock: 'if-available', readOnly: ['/'], writable: ['/dev/null'] } },
    missing: false,
  },
  strict: {
    plan: {
      strict: strictPlan,
    },
    missing: withoutSandbox,
  },
};

for (const [level, { plan, missing }] of Object.entries(levels)) {
  const wrong = skip || missing;

  t.test(
    `at ${level}, each call of the list is answered with its errno`,
    { skip: wrong },
    async (t) => {
      const calls = [
        ...Object.entries(deniedCalls).map(([name, [number, error]]) => ({
          name,
          number,
          args: [],
          error,
        })),
        ...deniedByArgument.map(([name, number, args, error]) => ({ name, number, args, error })),
      ];
      const program = `
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    args = list(args) + [0] * (6 - len(args))
    return ctypes.get_errno() if libc.syscall(*map(ctypes.c_long, [number] + args)) == -1 else 0
print(json.dumps([call(*numbers) for numbers in json.loads('${JSON.stringify(
        calls.map(({ number, args }) => [number, ...args.map((arg) => Number(arg))]),
      )}')]))`;
      const { stdout, stderr } = await inPython(plan, program);
      const answers = JSON.parse(stdout || 'null') as number[] | null;
      if (!answers) throw new Error(stderr);
      calls.forEach(({ name, args, error }, index) => {
        t.equal(answers[index], error === through ? 0 : error, `${name} ${args.join()}`);
      });
    },
  );

  t.test(`at ${level}, x32 and int 0x80 end in SIGSYS`, { skip: wrong }, async (t) => {
    const x32 =
      'import ctypes; ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39)); print(1)';
    // mov eax, 20 (getpid of i386); int 0x80; ret
    const int80 = `
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
print(1)`;
    for (const program of [x32, int80]) {
      t.match(await inPython(plan, program), { stdout: '', signal: 'SIGSYS' });
    }
  });
}

async function inPython(
  overrides: Partial<SpawnPlan>,
  program: string,
): Promise<{ stdout: string; stderr: string; signal: string | undefined }> {
  const plan = { file: python, argv: [python, '-c', program], ...overrides };
  const started = startProcess(shell('', plan));
  const said = started.status === undefined ? undefined : statusOf(started.status);
  const { stdout, stderr, signal } = await finish(started);
  const status = said && (await said);
  if (!status) return { stdout, stderr, signal };
  return { stdout, stderr, signal: status.kind === 'ended' ? status.signal : status.step };
}

async function statusOf(fd: number) {
  return readStatus(await drainedBytes(fd));
}
