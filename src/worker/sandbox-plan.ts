import { ByteWriter } from './byte-writer.js';
import { type Program, writeProgram } from './program.js';

export { checkFileName, type InputFile } from './program.js';

/** What a tmpfs may hold. */
export interface Capacity {
  bytes: number;
  inodes: number;
}

/** What of the host is in the sandbox, and where. Both absolute. */
export interface ReadOnlyPath {
  source: string;
  target: string;
}

/** All that the first process of a sandbox does between the clone and the script, checked. */
export interface InsidePlan extends Program {
  ownUserNamespace: boolean;
  requireLandlock: boolean;
  ownNetwork: boolean;
  /** For a task frame (task-frame.ts), whose program replaces this one's. */
  waits: boolean;
  uid: number;
  gid: number;
  directory: Capacity;
  tmp: Capacity;
  shm: Capacity;
  file: string;
  /** As `encodeReadOnly` returns them. */
  readOnly: Uint8Array;
  /** Descriptors of cgroup.procs files. */
  procs: readonly number[];
}

/** 'SCP' and the version of the format; native/sandbox/inside/inside_plan.cc has the same. */
const magic = 0x02504353;
const flags = { ownUserNamespace: 1, requireLandlock: 2, ownNetwork: 4, waits: 8 } as const;

/**
 * The plan as bytes, in the order of the fields below. Numbers are u32 unless said otherwise; for
 * strings and lists see ByteWriter.
 *
 *     magic, flags, uid, gid
 *     directory, tmp, shm       each bytes u64, inodes u64
 *     file
 *     argv, env, limits, files  see writeProgram
 *     readOnly                  list of source, target
 *     procs                     list of descriptors
 */
export function encodeInsidePlan(plan: InsidePlan): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(magic);
  const names = Object.keys(flags) as (keyof typeof flags)[];
  writer.u32(names.reduce((sum, name) => sum | (plan[name] ? flags[name] : 0), 0));
  writer.u32(plan.uid);
  writer.u32(plan.gid);
  for (const { bytes, inodes } of [plan.directory, plan.tmp, plan.shm]) {
    writer.u64(bytes);
    writer.u64(inodes);
  }
  writer.string(plan.file);
  writeProgram(writer, plan);
  writer.written(plan.readOnly);
  writer.list(plan.procs, (fd) => writer.u32(fd));
  return writer.finish();
}

/** The read-only paths as a plan has them: a list of source, target. */
export function encodeReadOnly(paths: readonly ReadOnlyPath[]): Uint8Array {
  const writer = new ByteWriter();
  writer.list(paths, ({ source, target }) => {
    writer.string(source);
    writer.string(target);
  });
  return writer.finish();
}
