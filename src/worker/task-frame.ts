import { ByteWriter } from './byte-writer.js';
import { type Program, writeProgram } from './program.js';

/** What a runtime that was prepared ahead waits for: the script that it is for. */
export interface TaskFrame extends Program {
  /** The exception report is to have local variables. */
  inspect: boolean;
}

/** 'STK1' */
const magic = 0x314b5453;
const flags = { inspect: 1 } as const;

/**
 * The frame as bytes. It is written to the control pipe and ends with the pipe's end. Read by
 * native/sandbox/inside/task_frame.cc, which refuses more than 64 MiB, and by the bootstraps of the
 * interpreters, for which argv[0] is the name of the script and files[0] the script itself.
 *
 *     magic, flags              u32
 *     argv, env, limits, files  see writeProgram
 */
export function encodeTaskFrame(frame: TaskFrame): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(magic);
  writer.u32(frame.inspect ? flags.inspect : 0);
  writeProgram(writer, frame);
  return writer.finish();
}
