import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program of somebody else that is measured where it is installed. */
export interface PeerProgram {
  name: string;
  /** Variable that holds its path, where PATH does not lead to it. */
  variable: string;
  /** How it comes here, as one sentence. */
  cure: string;
  /** Undefined: it is not here. @throws Error when the variable names no program */
  path(): string | undefined;
}

export function peerProgram(name: string, variable: string, cure: string): PeerProgram {
  return {
    ...{ name, variable, cure },
    path() {
      const given = process.env[variable];
      if (given === undefined) return inPath(name);
      if (isProgram(given)) return given;
      throw new Error(`${variable} is ${given}, where there is no program: ${cure}`);
    },
  };
}

function inPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false;
    throw error;
  }
}
