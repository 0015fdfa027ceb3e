import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { errorCode, errorMessage, ScriptdError } from '../errors.js';
import { packageRoot } from '../native.js';
import { addCertsCommand } from './certs.js';
import { addCheckCommand } from './check.js';
import { addControllerCommand } from './controller.js';
import { addDoctorCommand } from './doctor.js';
import { addDrillCommand } from './drill.js';
import { addEvaluateCommand } from './evaluate.js';
import { exitCodeFor, exitCodes } from './exit-codes.js';
import { addHttpCommand } from './http.js';
import { addInstallUnitsCommand } from './install-units.js';
import { addSelftestCommand } from './selftest.js';
import { addStoreCommand } from './store.js';
import { addTokenCommand } from './token.js';
import { addUpCommand } from './up.js';
import { addWorkerCommand } from './worker.js';

const { version, description } = JSON.parse(
  readFileSync(join(packageRoot, 'package.json'), 'utf8'),
) as { version: string; description: string };

const program = new Command('scriptd')
  .description(description)
  .version(version)
  .showSuggestionAfterError()
  .exitOverride();
addUpCommand(program);
addControllerCommand(program);
addWorkerCommand(program);
addHttpCommand(program);
addStoreCommand(program);
addDrillCommand(program);
addEvaluateCommand(program);
addCheckCommand(program);
addDoctorCommand(program);
addCertsCommand(program);
addTokenCommand(program);
addSelftestCommand(program);
addInstallUnitsCommand(program);

/** Without a command, `up` is meant. */
function withDefault(args: readonly string[]): readonly string[] {
  const [first] = args;
  const asksForCommand = first === undefined || first.startsWith('-');
  const asksProgram = first !== undefined && ['-h', '--help', '-V', '--version'].includes(first);
  return asksForCommand && !asksProgram ? ['up', ...args] : args;
}

try {
  await program.parseAsync(withDefault(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong, or printed the help that was asked for.
    process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage);
  }
  const code = error instanceof ScriptdError ? ` (${error.code})` : '';
  process.stderr.write(`scriptd: ${errorMessage(error)}${code}\n`);
  process.exit(exitCodeFor(errorCode(error)));
}
