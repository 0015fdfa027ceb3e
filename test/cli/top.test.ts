import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { Service, until } from './service.js';

const service = await Service.start(t, ['--workers', 'bash=1', '--isolation', 'none']);
for (const tag of ['first', 'second\x1b]0;owned\x07']) {
  await service.submit({ code: 'exit 1', type: 'bash', tags: [tag], group: 'ünï漢' }, '?wait=30');
}

/** Whatever sets colours, or empties the rest of a line. */
const styles = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;]*[mK]`, 'g');
const colours = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;]*m`);
const enter = '\x1b[?1049h';
const leave = '\x1b[?25h\x1b[?1049l';

/** `scriptd top` on a terminal; what it draws is in `drawn`. */
class Terminal {
  readonly child: ChildProcess;
  drawn = '';

  constructor(t: Test, columns: number, rows: number, env: Record<string, string> = {}) {
    const program = [join(packageRoot, 'test', 'cli', 'terminal.py'), `${columns}`, `${rows}`];
    const command = ['env', '-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd'), 'top'];
    this.child = spawn('python3', [...program, ...command, '--url', service.address], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm', ...env },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.drawn += text;
    });
    t.teardown(() => this.child.kill('SIGKILL'));
  }

  type(keys: string): void {
    this.child.stdin?.write(keys);
  }

  /** The screens that were drawn whole, as lines without colours. */
  frames(): string[][] {
    return this.drawn
      .split('\x1b[H')
      .slice(2)
      .flatMap((frame) => {
        const end = frame.indexOf('\x1b[J');
        return end < 0 ? [] : [frame.slice(0, end).replace(styles, '').split(/\r+\n/)];
      });
  }
}

t.test('it draws over itself within the screen, sorts, and leaves all as it was', async (t) => {
  const top = new Terminal(t, 80, 12);
  await until('it is drawn', () => top.frames().length > 1);
  t.ok(top.drawn.startsWith(enter));
  top.type('s');
  await until('it is sorted otherwise', () =>
    /s sort: time/.test(top.frames().at(-1)?.at(-1) ?? ''),
  );
  top.type('r');
  await until('it is reversed', () => /reversed/.test(top.frames().at(-1)?.at(-1) ?? ''));
  top.type('q');
  const [code] = await once(top.child, 'exit');
  t.equal(code, 0);
  t.ok(top.drawn.endsWith(leave), 'the terminal is as it was');
  for (const frame of top.frames()) {
    t.ok(frame.length <= 12, `${frame.length} lines`);
    for (const line of frame) t.ok(line.length <= 80, line);
  }
  const [frame = []] = top.frames();
  t.match(frame[1], /^TYPE +STATUS +READY/);
  t.ok(frame.some((line) => /bash +runtime_error/.test(line)));
  t.notOk(top.drawn.slice(enter.length).includes('\x1b[2J\x1b[H\x1b[2J'), 'never cleared');
  t.equal(top.drawn.split('\x1b[2J').length, 2, 'nothing is blank between two frames');
});

t.test('what a task says of itself reaches a terminal as text only', async (t) => {
  const top = new Terminal(t, 160, 20, { NO_COLOR: '1' });
  await until('it is drawn', () => top.frames().length > 0);
  top.type('\x03');
  await once(top.child, 'exit');
  t.match(top.frames()[0]?.join('\n'), 'second\\x1b]0;owned\\x07');
  t.notOk(top.drawn.includes('\x1b]0'));
  t.notMatch(top.drawn, colours, 'and without colour');
  t.ok(top.drawn.endsWith(leave));
});

t.test('a signal leaves the terminal as it was, too', async (t) => {
  const top = new Terminal(t, 40, 8);
  await until('it is drawn', () => top.frames().length > 0);
  const frame = top.frames()[0] ?? [];
  t.ok(frame.length <= 8 && frame.every((line) => line.length <= 80));
  const pid = service.processes().length;
  t.ok(pid > 0);
  top.child.stdin?.write('\x04');
  await once(top.child, 'exit');
  t.ok(top.drawn.endsWith(leave));
});
