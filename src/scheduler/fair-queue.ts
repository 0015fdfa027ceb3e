import { invariant } from '../invariant.js';
import { Column, float64, int32 } from './column.js';
import { schedulerLimits } from './limits.js';
import { RowHeap } from './row-heap.js';
import type { TaskTable } from './task-table.js';

/** The tasks of one group and type. */
export interface Group {
  /** Unique among all groups of all types. */
  readonly index: number;
  readonly name: string;
  readonly type: string;
  readonly weight: number;
  /** Its ready tasks by rank. */
  readonly tasks: RowHeap;
  /** Its unfinished tasks. */
  members: number;
  /** Slot time that it had, divided by its weight, on the queue's virtual clock. */
  tagMs: number;
  /** What an attempt of it lasts, on average. */
  meanMs: number;
}

/** All groups of all types, by index. */
export class Groups {
  readonly places = new Column(int32);
  readonly births = new Column(float64);
  readonly #groups: (Group | undefined)[] = [];
  readonly #free: number[] = [];
  #born = 0;
  #capacity = 0;

  get(index: number): Group {
    const group = this.#groups[index];
    invariant(group, 'a task has a group');
    return group;
  }

  add(make: (index: number) => Group): Group {
    const index = this.#free.pop() ?? this.#groups.length;
    if (index >= this.#capacity) {
      this.#capacity = Math.max(16, 2 * this.#capacity);
      this.places.grow(this.#capacity);
      this.births.grow(this.#capacity);
    }
    const group = make(index);
    this.#groups[index] = group;
    this.births.set(index, this.#born++);
    return group;
  }

  remove(group: Group): void {
    this.#groups[group.index] = undefined;
    this.#free.push(group.index);
  }
}

/**
 * The ready tasks of one type. Between groups it is start-time fair queueing: the group that had the
 * least slot time for its weight goes first; within a group, the task of the lowest rank.
 *
 * What is shared is slots × time rather than dispatches, since that is what is scarce: a group of
 * long tasks must not get more of the workers than one of short tasks. How long an attempt lasts is
 * not known when it is dispatched: the group is charged its average, and the difference at its end.
 *
 * Source: Goyal, Vin and Cheng, "Start-time Fair Queuing", SIGCOMM 1996; deterministic, O(log n).
 */
export class FairQueue {
  readonly #type: string;
  readonly #table: TaskTable;
  readonly #groups: Groups;
  readonly #weights: ReadonlyMap<string, number>;
  readonly #byName = new Map<string, Group>();
  /** Groups without tasks that are ahead of the others, or were when they left. */
  readonly #idle = new Set<Group>();
  /** Groups with ready tasks, by tag. */
  readonly #active: RowHeap;
  #virtualMs = 0;
  #meanMs: number = schedulerLimits.attemptEstimateMs;
  #size = 0;

  constructor(
    type: string,
    table: TaskTable,
    groups: Groups,
    weights: ReadonlyMap<string, number>,
  ) {
    this.#type = type;
    this.#table = table;
    this.#groups = groups;
    this.#weights = weights;
    this.#active = new RowHeap(groups.places, groups.births);
  }

  /** Ready tasks. */
  get size(): number {
    return this.#size;
  }

  /** Groups that are remembered. */
  get groupCount(): number {
    return this.#byName.size;
  }

  groups(): IterableIterator<Group> {
    return this.#byName.values();
  }

  /** A task of this group has come; whether it is ready is another matter. */
  join(name: string): Group {
    const group = this.#byName.get(name) ?? this.#found(name);
    if (group.members++ === 0) this.#idle.delete(group);
    return group;
  }

  /** A task of it is finished. */
  leave(group: Group): void {
    group.members--;
    if (group.members > 0) return;
    // What it had beyond the others must not be forgotten, or it would pay by leaving.
    if (group.tagMs <= this.#virtualMs) this.#forget(group);
    else this.#idle.add(group);
    if (this.#idle.size > schedulerLimits.idleGroupsMax) this.#forgetIdle();
  }

  add(row: number): void {
    const group = this.#groups.get(this.#table.group.get(row));
    group.tasks.set(row, this.#table.rank.get(row));
    this.#size++;
    if (group.tasks.size > 1) return;
    // Time in which it wanted nothing is not saved up.
    group.tagMs = Math.max(group.tagMs, this.#virtualMs);
    this.#active.set(group.index, group.tagMs);
  }

  /** The task whose turn it is; -1 when none is ready. */
  peek(): number {
    const index = this.#active.first;
    return index < 0 ? -1 : this.#groups.get(index).tasks.first;
  }

  /** Takes out the task whose turn it is. What its group is charged, in milliseconds. */
  take(row: number): number {
    const group = this.#groups.get(this.#active.first);
    invariant(group.tasks.first === row, 'tasks are taken in their order');
    this.#virtualMs = Math.max(this.#virtualMs, group.tagMs);
    this.remove(row);
    this.#charge(group, group.meanMs);
    return group.meanMs;
  }

  /** Takes out a task wherever it stands. False when it is not ready. */
  remove(row: number): boolean {
    const group = this.#groups.get(this.#table.group.get(row));
    if (!group.tasks.remove(row)) return false;
    this.#size--;
    if (group.tasks.size === 0) this.#active.remove(group.index);
    return true;
  }

  /** An attempt that was charged has ended after it held a slot for `heldMs`. */
  settle(group: Group, chargedMs: number, heldMs: number): void {
    // Nothing is free, or a group of tasks without length would keep everybody out.
    const actualMs = Math.max(1, heldMs);
    this.#charge(group, actualMs - chargedMs);
    group.meanMs += (actualMs - group.meanMs) / 8;
    this.#meanMs += (actualMs - this.#meanMs) / 64;
  }

  /** The attempt never held a slot. */
  refund(group: Group, chargedMs: number): void {
    this.#charge(group, -chargedMs);
  }

  /** Ready groups that go before this one, up to `most`. */
  groupsBefore(group: Group, most: number): number {
    return this.#active.has(group.index) ? this.#active.countBefore(group.index, most) : 0;
  }

  #charge(group: Group, chargedMs: number): void {
    group.tagMs += chargedMs / group.weight;
    if (this.#active.has(group.index)) this.#active.set(group.index, group.tagMs);
  }

  #found(name: string): Group {
    const group = this.#groups.add((index) => ({
      index,
      name,
      type: this.#type,
      weight: this.#weights.get(name) ?? 1,
      tasks: new RowHeap(this.#table.queuePlace, this.#table.sequence),
      members: 0,
      tagMs: this.#virtualMs,
      meanMs: this.#meanMs,
    }));
    this.#byName.set(name, group);
    return group;
  }

  #forget(group: Group): void {
    this.#byName.delete(group.name);
    this.#groups.remove(group);
  }

  /** Half of them at once, or each that leaves would cost a look at all. */
  #forgetIdle(): void {
    const { births } = this.#groups;
    const idle = [...this.#idle].sort(
      (a, b) => a.tagMs - b.tagMs || births.get(a.index) - births.get(b.index),
    );
    for (const group of idle.slice(0, idle.length / 2)) {
      this.#idle.delete(group);
      this.#forget(group);
    }
  }
}
