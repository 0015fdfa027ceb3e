import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { FairQueue, type Group, Groups } from '../../src/scheduler/fair-queue.js';
import { schedulerLimits } from '../../src/scheduler/limits.js';
import { TaskTable } from '../../src/scheduler/task-table.js';
import { Random } from '../simulation/random.js';
import { Rig } from './rig.js';

interface Begun {
  row: number;
  chargedMs: number;
}

/** A queue without the rest of the scheduler. */
class Driven {
  readonly #table = new TaskTable();
  readonly #groups: Groups;
  readonly queue: FairQueue;
  #sequence = 0;

  constructor(groups: Groups, weights: ReadonlyMap<string, number> = new Map()) {
    this.#groups = groups;
    this.queue = new FairQueue('python', this.#table, groups, weights);
  }

  submit(group: string, rank: number): number {
    const row = this.#table.add(uuidv7());
    this.#table.rank.set(row, rank);
    this.#table.sequence.set(row, this.#sequence++);
    this.#table.group.set(row, this.queue.join(group).index);
    this.queue.add(row);
    return row;
  }

  begin(): Begun {
    const row = this.queue.peek();
    return { row, chargedMs: this.queue.take(row) };
  }

  finish({ row, chargedMs }: Begun, heldMs: number): void {
    const group = this.#groups.get(this.#table.group.get(row));
    this.queue.settle(group, chargedMs, heldMs);
    this.#table.remove(row);
    this.queue.leave(group);
  }
}

/** Counts how often something of a group is read. */
class CountingGroups extends Groups {
  looks = 0;

  override add(make: (index: number) => Group): Group {
    const get = (group: Group, key: keyof Group) => {
      this.looks++;
      return group[key];
    };
    return super.add((index) => new Proxy(make(index), { get } as ProxyHandler<Group>));
  }
}

interface Modelled {
  name: string;
  weight: number;
  tasks: { row: number; rank: number }[];
  members: number;
  tagMs: number;
  meanMs: number;
}

/** What FairQueue does, by looking at all groups for each decision. */
class LookingAtAll {
  readonly #weights: ReadonlyMap<string, number>;
  /** In the order in which they were found. */
  readonly #groups = new Map<string, Modelled>();
  readonly #begun = new Map<number, { group: Modelled; chargedMs: number }>();
  #virtualMs = 0;
  #meanMs: number = schedulerLimits.attemptEstimateMs;

  constructor(weights: ReadonlyMap<string, number>) {
    this.#weights = weights;
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  submit(row: number, name: string, rank: number): void {
    const fresh = { members: 0, tagMs: this.#virtualMs, meanMs: this.#meanMs };
    const weight = this.#weights.get(name) ?? 1;
    const group = this.#groups.get(name) ?? { name, weight, tasks: [], ...fresh };
    this.#groups.set(name, group);
    group.members++;
    if (group.tasks.length === 0) group.tagMs = Math.max(group.tagMs, this.#virtualMs);
    group.tasks.push({ row, rank });
    group.tasks.sort((a, b) => a.rank - b.rank);
  }

  peek(): number {
    return this.#next()?.tasks[0]?.row ?? -1;
  }

  take(row: number): void {
    const group = this.#next() as Modelled;
    group.tasks.shift();
    this.#virtualMs = Math.max(this.#virtualMs, group.tagMs);
    group.tagMs += group.meanMs / group.weight;
    this.#begun.set(row, { group, chargedMs: group.meanMs });
  }

  /** @returns whether groups without work were forgotten */
  finish(row: number, heldMs: number): boolean {
    const { group, chargedMs } = this.#begun.get(row) as { group: Modelled; chargedMs: number };
    this.#begun.delete(row);
    const actualMs = Math.max(1, heldMs);
    group.tagMs += (actualMs - chargedMs) / group.weight;
    group.meanMs += (actualMs - group.meanMs) / 8;
    this.#meanMs += (actualMs - this.#meanMs) / 64;
    if (--group.members > 0) return false;
    if (group.tagMs <= this.#virtualMs) this.#groups.delete(group.name);
    const idle = [...this.#groups.values()].filter(({ members }) => members === 0);
    if (idle.length <= schedulerLimits.idleGroupsMax) return false;
    idle.sort((a, b) => a.tagMs - b.tagMs);
    for (const { name } of idle.slice(0, idle.length / 2)) this.#groups.delete(name);
    return true;
  }

  #next(): Modelled | undefined {
    let next: Modelled | undefined;
    for (const group of this.#groups.values()) {
      if (group.tasks.length > 0 && (!next || group.tagMs < next.tagMs)) next = group;
    }
    return next;
  }
}

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

t.test('a finished task costs as much however many groups wait', async (t) => {
  const groups = new CountingGroups();
  const queue = new Driven(groups);
  for (let index = 0; index < 8 * schedulerLimits.idleGroupsMax; index++) {
    queue.submit(`g${index}`, 0);
  }
  const finished = 4 * schedulerLimits.idleGroupsMax;
  groups.looks = 0;
  for (let count = 0; count < finished; count++) queue.finish(queue.begin(), 50);
  const looks = groups.looks / finished;
  t.ok(looks < 200, `${looks} looks at a group for each`);
});

for (const seed of [1, 2, 3, 4]) {
  t.test(`tasks come in the order of looking at all groups each time, seed ${seed}`, async (t) => {
    const random = new Random(seed);
    const names = 8 * schedulerLimits.idleGroupsMax;
    const weights = new Map(Array.from({ length: 50 }, (_, n) => [`g${n}`, 2 ** (n % 5)]));
    const queue = new Driven(new Groups(), weights);
    const model = new LookingAtAll(weights);
    const running: Begun[] = [];
    let forgot = 0;
    let fault = '';
    for (let step = 0; step < 30_000 && !fault; step++) {
      // Phases in which more comes than goes, and in which all of it goes.
      if (random.chance(step % 10_000 < 6_000 ? 0.6 : 0.1)) {
        // Few tags and ranks, so that many are equal; some groups come again and again.
        const name = `g${random.int(0, random.chance(0.2) ? 50 : names)}`;
        const rank = random.int(0, 3);
        model.submit(queue.submit(name, rank), name, rank);
      } else if (running.length < 20) {
        const turn = model.peek();
        if (queue.queue.peek() !== turn) fault = `it is another's turn at step ${step}`;
        if (fault || turn < 0) continue;
        running.push(queue.begin());
        model.take(turn);
      } else {
        const [ended] = running.splice(random.int(0, running.length - 1), 1) as [Begun];
        const heldMs = random.int(0, 8) * 25;
        queue.finish(ended, heldMs);
        if (model.finish(ended.row, heldMs)) forgot++;
      }
      if (queue.queue.groupCount !== model.groupCount) fault = `others are kept at step ${step}`;
    }
    t.equal(fault, '');
    t.ok(forgot > 1, `groups without work were forgotten ${forgot} times`);
  });
}
