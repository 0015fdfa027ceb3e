import { type Command, Option } from 'commander';
import { networks } from '../task-words.js';

/** Adds what may be said of a task that is submitted: `SubmissionOptions`, but for its delay. */
export function addTaskOptions(command: Command): Command {
  return command
    .option('--type <type>', 'python, node, bash, …; else its shebang or extension tells')
    .option('--env <name=value>', repeated('a variable; without a value, the one of here'), append)
    .option('--file <name=path>', repeated('a file beside the script'), append)
    .option('--limit <name=number>', repeated('e.g. wallMs=5000'), append)
    .addOption(new Option('--network <network>', 'what it may reach').choices(networks))
    .option('--priority <number>', '-100 to 100: higher runs first')
    .option('--group <group>', 'groups share the workers of a type fairly')
    .option('--tag <tag>', repeated('shown with the task'), append)
    .option('--attempts <number>', 'in all, where it fails by no doing of its own');
}

/** Several values after one option would take the script's name along. */
function append(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function repeated(description: string): string {
  return `${description}; may be repeated`;
}
