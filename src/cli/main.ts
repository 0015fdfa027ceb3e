import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.js';
import { quickProgram } from './quick-program.js';
import { errorExitCode, errorLine } from './service-errors.js';

/** Without a command, `up` is meant. */
function withDefault(args: readonly string[]): readonly string[] {
  const [first] = args;
  const asksForCommand = first === undefined || first.startsWith('-');
  const asksProgram = first !== undefined && ['-h', '--help', '-V', '--version'].includes(first);
  return asksForCommand && !asksProgram ? ['up', ...args] : args;
}

/** The program: does what its arguments say, and ends the process with one of `exitCodes`. */
export async function main(given: readonly string[]): Promise<void> {
  try {
    const args = withDefault(given);
    const program = (await quickProgram(args[0])) ?? (await import('./program.js')).createProgram();
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said what is wrong, or printed the help that was asked for.
      process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage);
    }
    process.stderr.write(errorLine(error));
    process.exit(errorExitCode(error));
  }
}
