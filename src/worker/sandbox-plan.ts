import { ScriptdError } from '../errors.js';

/** What a tmpfs may hold. */
export interface Capacity {
  bytes: number;
  inodes: number;
}

/** A file that the script finds in its work directory. */
export interface InputFile {
  /** 'a' or 'a/b': relative, no '.' or '..'. */
  name: string;
  content: Uint8Array;
  /** Permission bits, 0o644 when left out. */
  mode?: number;
}

/** All that scriptd-init does between the clone and the script, checked. */
export interface InsidePlan {
  ownUserNamespace: boolean;
  requireLandlock: boolean;
  ownNetwork: boolean;
  uid: number;
  gid: number;
  directory: Capacity;
  tmp: Capacity;
  shm: Capacity;
  file: string;
  argv: readonly string[];
  /** 'NAME=value' */
  env: readonly string[];
  readOnly: readonly string[];
  /** Numbers as in asm-generic/resource.h. */
  limits: readonly (readonly [resource: number, soft: number, hard: number])[];
  /** Descriptors of cgroup.procs files. */
  procs: readonly number[];
  files: readonly InputFile[];
}

/** 'SCP' and the version of the format; native/sandbox/inside/inside_plan.cc has the same. */
const magic = 0x01504353;
const flags = { ownUserNamespace: 1, requireLandlock: 2, ownNetwork: 4 } as const;
const fileMode = 0o644;

/**
 * The plan as bytes, in the order of the fields below. Numbers are little-endian, u32 unless said
 * otherwise; a string is its length, its bytes, and a NUL that is not counted; a list is its length
 * and its items.
 *
 *     magic, flags, uid, gid
 *     directory, tmp, shm       each bytes u64, inodes u64
 *     file
 *     argv, env, readOnly       lists of strings
 *     limits                    list of resource, soft u64, hard u64
 *     procs                     list of descriptors
 *     files                     list of name, mode, content as a string
 */
export function encodeInsidePlan(plan: InsidePlan): Uint8Array {
  const writer = new Writer();
  writer.u32(magic);
  writer.u32(
    (plan.ownUserNamespace ? flags.ownUserNamespace : 0) |
      (plan.requireLandlock ? flags.requireLandlock : 0) |
      (plan.ownNetwork ? flags.ownNetwork : 0),
  );
  writer.u32(plan.uid);
  writer.u32(plan.gid);
  for (const { bytes, inodes } of [plan.directory, plan.tmp, plan.shm]) {
    writer.u64(bytes);
    writer.u64(inodes);
  }
  writer.string(plan.file);
  for (const list of [plan.argv, plan.env, plan.readOnly]) {
    writer.u32(list.length);
    for (const item of list) writer.string(item);
  }
  writer.u32(plan.limits.length);
  for (const [resource, soft, hard] of plan.limits) {
    writer.u32(resource);
    writer.u64(soft);
    writer.u64(hard);
  }
  writer.u32(plan.procs.length);
  for (const fd of plan.procs) writer.u32(fd);
  writer.u32(plan.files.length);
  for (const { name, mode = fileMode, content } of plan.files) {
    writer.string(name);
    writer.u32(mode);
    writer.bytes(content);
  }
  return writer.finish();
}

/** @throws ScriptdError EINVAL when a file of that name could not lie in the work directory. */
export function checkFileName(name: string): void {
  const parts = name.split('/');
  if (!name.includes('\0') && parts.every((part) => !['', '.', '..'].includes(part))) return;
  throw new ScriptdError(
    'EINVAL',
    `files: ${JSON.stringify(name)} is not a name below the work directory`,
  );
}

/** Numbers and strings one after the other in a buffer that grows. */
class Writer {
  #buffer = Buffer.allocUnsafe(4096);
  #size = 0;

  u32(value: number): void {
    this.#reserve(4);
    this.#size = this.#buffer.writeUInt32LE(value, this.#size);
  }

  u64(value: number): void {
    this.#reserve(8);
    this.#size = this.#buffer.writeBigUInt64LE(BigInt(value), this.#size);
  }

  string(value: string): void {
    this.bytes(Buffer.from(value));
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#reserve(value.length + 1);
    this.#buffer.set(value, this.#size);
    this.#size += value.length;
    this.#size = this.#buffer.writeUInt8(0, this.#size);
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }

  #reserve(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#size));
    this.#buffer = larger;
  }
}
