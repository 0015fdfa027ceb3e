import t from 'tap';
import { readCosts } from '../../../bench/guard/instructions.js';
import { countCalls, totalOf } from '../../../bench/guard/traced-calls.js';

t.test(
  'calls are counted by piece, a resumed one once, and no wait that came to nothing',
  async (t) => {
    const trace = [
      '10 1.000000 read(3, ""..., 9) = 0',
      '10 2.100000 epoll_pwait(4,  <unfinished ...>',
      '11 2.200000 sendto(5, ""..., 8, 0, NULL, 0) = 8',
      '10 2.300000 <... epoll_pwait resumed>[{events=EPOLLIN}], 64, -1, NULL, 8) = 1',
      '10 2.400000 recvfrom(3,  <unfinished ...>',
      '10 2.500000 <... recvfrom resumed>""..., 9, 0, NULL, NULL) = -1 EAGAIN (Again)',
      '10 3.100000 epoll_wait(4, [], 64, 20) = 0',
      '10 3.200000 close(3) = 0',
      '10 3.300000 --- SIGCHLD {si_signo=SIGCHLD} ---',
      '',
    ].join('\n');
    const [first, second, ...more] = countCalls(trace, [2, 3]);
    t.same(
      first,
      new Map([
        ['sendto', 1],
        ['epoll_pwait', 1],
        ['recvfrom', 1],
      ]),
    );
    t.same(second, new Map([['close', 1]]));
    t.same(more, []);
    t.equal(totalOf(first ?? new Map()), 3);
    t.equal(totalOf(first ?? new Map(), new Set(['sendto'])), 2);
  },
);

t.test('instructions are the least of the counts, less those of counting', async (t) => {
  const output = [
    ...['operation 0 nothing', 'instructions 100', 'instructions 104'],
    ...['operation 12.5 json body', 'instructions 9999', 'instructions 1100'],
  ].join('\n');
  t.same(readCosts(output), [{ name: 'json body', allocatedBytes: 12.5, instructions: 1000 }]);
  t.throws(() => readCosts('operation 1 json body\n'), /no count of nothing/);
});
