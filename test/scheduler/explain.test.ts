import t from 'tap';
import { Rig } from './rig.js';

t.test('what holds a task back is told, with a sentence', async (t) => {
  const rig = new Rig({ groups: new Map([['a', 3]]) });
  const is = (name: string, nowMs: number, expected: object) => {
    const explanation = rig.explain(name, nowMs);
    t.match(explanation, { ...expected, text: /^[A-Z].*\.$/ });
  };
  rig.task('first', { group: 'a' });
  is('first', 0, { reason: 'no_worker', type: 'python' });
  rig.worker('p');
  rig.take(0);
  is('first', 5, { reason: 'running', worker: 'p', forMs: 5 });
  rig.task('second', { group: 'a' });
  rig.task('third', { group: 'a' });
  rig.task('other', { group: 'b' });
  rig.task('later', { runAtMs: 900 });
  is('other', 5, { reason: 'busy', slots: 1, ahead: 0 });
  is('third', 5, { reason: 'fair_share', group: 'a', groupsAhead: 1, ahead: 1 });
  is('later', 5, { reason: 'waits_for_run_at', inMs: 895 });
  rig.result('p', 'first', 1, 10, 'internal_fail', 'INTERNAL');
  rig.take(10);
  is('first', 10, { reason: 'waits_for_retry', attempt: 1, code: 'INTERNAL', inMs: 100 });
  rig.cancel('other', 11);
  is('other', 11, { reason: 'stopping', cause: 'caller' });
  rig.scheduler.drain('p');
  is('second', 12, { reason: 'workers_draining' });
  rig.scheduler.halt();
  is('second', 12, { reason: 'draining' });
  t.equal(rig.explain('nobody', 0), undefined);
});
