import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../native.js';
import { addCancelCommand } from './cancel.js';
import { addCertsCommand } from './certs.js';
import { addCheckCommand } from './check.js';
import { addCompletionCommand } from './completion.js';
import { addWorkersCommand } from './connected-workers.js';
import { addControllerCommand } from './controller.js';
import { addDoctorCommand } from './doctor.js';
import { addDrillCommand } from './drill.js';
import { addEvaluateCommand } from './evaluate.js';
import { addExplainCommand } from './explain.js';
import { addGetCommand } from './get.js';
import { addHttpCommand } from './http.js';
import { addInstallUnitsCommand } from './install-units.js';
import { addListCommand } from './list.js';
import { addLogsCommand } from './logs.js';
import { addMcpCommand } from './mcp.js';
import { addPauseCommand } from './pause.js';
import { addQueuesCommand } from './queues.js';
import { addResumeCommand } from './resume.js';
import { addRetryCommand } from './retry.js';
import { addSelftestCommand } from './selftest.js';
import { addStoreCommand } from './store.js';
import { addSubmitCommand } from './submit.js';
import { addTokenCommand } from './token.js';
import { addTopCommand } from './top.js';
import { addUpCommand } from './up.js';
import { addWorkerCommand } from './worker.js';

/** Every command with its options: what runs, and what completion and the manual are made of. */
export function createProgram(): Command {
  const { version, description } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  ) as { version: string; description: string };
  const program = new Command('scriptd')
    .description(description)
    .version(version)
    .showSuggestionAfterError()
    .exitOverride();
  program.commandsGroup('Run a service:');
  addUpCommand(program);
  addControllerCommand(program);
  addWorkerCommand(program);
  addHttpCommand(program);
  program.commandsGroup('Use one:');
  addSubmitCommand(program);
  addGetCommand(program);
  addListCommand(program);
  addLogsCommand(program);
  addCancelCommand(program);
  addRetryCommand(program);
  addExplainCommand(program);
  addMcpCommand(program);
  program.commandsGroup('Watch and steer it:');
  addTopCommand(program);
  addQueuesCommand(program);
  addWorkersCommand(program);
  addPauseCommand(program);
  addResumeCommand(program);
  program.commandsGroup('Look after it:');
  addDoctorCommand(program);
  addSelftestCommand(program);
  addCheckCommand(program);
  addEvaluateCommand(program);
  addStoreCommand(program);
  addDrillCommand(program);
  addTokenCommand(program);
  addCertsCommand(program);
  addInstallUnitsCommand(program);
  addCompletionCommand(program);
  return program;
}
