import t from 'tap';
import { schedulerLimits } from '../../src/scheduler/limits.js';
import { Rig } from './rig.js';

t.test('groups share the time of slots by weight, however long their tasks last', async (t) => {
  const rig = new Rig({
    groups: new Map([
      ['short', 1],
      ['long', 2],
    ]),
  });
  const lastsMs = { short: 10, long: 250 };
  const hadMs = { short: 0, long: 0 };
  for (let index = 0; index < 2_000; index++) {
    rig.task(`s${index}`, { group: 'short' });
    rig.task(`l${index}`, { group: 'long' });
  }
  rig.worker('p');
  let nowMs = 0;
  for (let round = 0; round < 2_000; round++) {
    for (const action of rig.take(nowMs)) {
      if (action.type !== 'dispatch') continue;
      const group = action.taskId.startsWith('s') ? 'short' : 'long';
      hadMs[group] += lastsMs[group];
      nowMs += lastsMs[group];
      rig.result('p', action.taskId, action.attempt, nowMs);
    }
  }
  const share = hadMs.long / (hadMs.long + hadMs.short);
  t.ok(Math.abs(share - 2 / 3) < 0.02, `the long ones had ${share}`);
});

t.test('a group that wanted nothing for a while has saved nothing up', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  let nowMs = 0;
  const turn = () => {
    const groups: string[] = [];
    for (const action of rig.take(nowMs)) {
      if (action.type !== 'dispatch') continue;
      groups.push(action.taskId.slice(0, 1));
      nowMs += 100;
      rig.result('p', action.taskId, action.attempt, nowMs);
    }
    return groups;
  };
  for (let index = 0; index < 100; index++) rig.task(`a${index}`, { group: 'a' });
  for (let round = 0; round < 50; round++) turn();
  for (let index = 0; index < 20; index++) rig.task(`b${index}`, { group: 'b' });
  const next = Array.from({ length: 20 }, turn).flat();
  const ofB = next.filter((group) => group === 'b').length;
  t.ok(ofB >= 9 && ofB <= 11, `${ofB} of the next 20`);
});

t.test('memory: groups that come and go are not kept', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  for (let index = 0; index < 4 * schedulerLimits.idleGroupsMax; index++) {
    rig.task(`t${index}`, { group: `g${index}` });
    rig.take(index);
    rig.result('p', `t${index}`, 1, index + 1);
  }
  rig.take(1e6);
  const [lane] = rig.scheduler.lanes();
  t.match(lane, { type: 'python', ready: 0, waiting: 0, running: 0, workers: 1, slots: 1 });
  t.ok(lane && lane.groups <= schedulerLimits.idleGroupsMax + 1, `${lane?.groups} are kept`);
});
