import type { Command } from 'commander';

export interface OptionEntry {
  /** As they are written: `-f`, `--follow`. */
  names: string[];
  /** e.g. `<id>`; absent for a switch. */
  value?: string;
  choices: readonly string[];
  description: string;
}

export interface ArgumentEntry {
  /** e.g. `<id...>` */
  text: string;
  choices: readonly string[];
}

export interface CommandEntry {
  /** From the program on, e.g. `['scriptd', 'store', 'check']`. */
  path: string[];
  description: string;
  options: OptionEntry[];
  args: ArgumentEntry[];
  /** What is said after the options. */
  commands: CommandEntry[];
}

/** What commander knows of a command and all below it: for completion, and for the manual. */
export function treeOf(command: Command, above: readonly string[] = []): CommandEntry {
  const path = [...above, command.name()];
  const help = command.createHelp();
  return {
    path,
    description: command.description(),
    options: help.visibleOptions(command).map((option) => ({
      names: [option.short, option.long].flatMap((name) => (name === undefined ? [] : [name])),
      ...(/[<[]/.test(option.flags) && { value: option.flags.slice(option.flags.search(/[<[]/)) }),
      choices: option.argChoices ?? [],
      description: option.description,
    })),
    args: command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      const text = argument.required ? `<${name}>` : `[${name}]`;
      return { text, choices: argument.argChoices ?? [] };
    }),
    commands: help
      .visibleCommands(command)
      .flatMap((child) => (child.name() === 'help' ? [] : [treeOf(child, path)])),
  };
}

/** A command and all below it, itself first. */
export function* allOf(entry: CommandEntry): Generator<CommandEntry> {
  yield entry;
  for (const child of entry.commands) yield* allOf(child);
}
