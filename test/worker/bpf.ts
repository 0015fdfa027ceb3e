/** An instruction of classic BPF, as in linux/filter.h. */
export interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

/** What a filter is asked about a system call. */
export interface SyscallData {
  number: number;
  architecture: number;
  args: readonly bigint[];
}

export function instructionsOf(bytes: Uint8Array): Instruction[] {
  const buffer = Buffer.from(bytes);
  return Array.from({ length: buffer.length / 8 }, (_, index) => ({
    code: buffer.readUInt16LE(index * 8),
    jt: buffer.readUInt8(index * 8 + 2),
    jf: buffer.readUInt8(index * 8 + 3),
    k: buffer.readUInt32LE(index * 8 + 4),
  }));
}

/**
 * Runs a seccomp program as the kernel would (Documentation/networking/filter.rst), for the
 * instructions that assemblers of filters use, and returns its verdict.
 *
 * @throws Error on any other instruction, and when the program runs beyond its end
 */
export function verdictOf(program: readonly Instruction[], data: SyscallData): number {
  const memory = Buffer.alloc(64);
  memory.writeUInt32LE(data.number >>> 0, 0);
  memory.writeUInt32LE(data.architecture >>> 0, 4);
  for (const [index, arg] of data.args.entries()) {
    memory.writeBigUInt64LE(BigInt.asUintN(64, arg), 16 + index * 8);
  }
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const instruction = program[at];
    if (!instruction) throw new Error(`the program ends without a verdict (${at})`);
    const { code, jt, jf, k } = instruction;
    const jump = jumps[code];
    if (code === 0x06) return k; // RET K
    if (code === 0x20)
      accumulator = memory.readUInt32LE(k); // LD W ABS
    else if (code === 0x54)
      accumulator = (accumulator & k) >>> 0; // ALU AND K
    else if (code === 0x05)
      at += k; // JMP JA
    else if (jump) at += jump(accumulator, k) ? jt : jf;
    else throw new Error(`unknown instruction 0x${code.toString(16)}`);
  }
}

/** JEQ, JGT, JGE and JSET, with a constant. */
const jumps: Readonly<Record<number, (a: number, k: number) => boolean>> = {
  21: (a, k) => a === k,
  37: (a, k) => a > k,
  53: (a, k) => a >= k,
  69: (a, k) => (a & k) !== 0,
};
