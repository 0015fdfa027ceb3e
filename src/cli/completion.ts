import { Argument, type Command } from 'commander';
import { treeOf } from './command-tree.js';
import { bashCompletion, fishCompletion, zshCompletion } from './completion-scripts.js';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
type Shell = keyof typeof scripts;

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('what a shell needs to complete the commands and options of scriptd')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
In ~/.bashrc:   source <(scriptd completion bash)
In ~/.zshrc:    source <(scriptd completion zsh)     (after compinit)
For fish:       scriptd completion fish > ~/.config/fish/completions/scriptd.fish`,
    )
    .action((shell: Shell) => {
      process.stdout.write(scripts[shell](treeOf(program)));
    });
}
