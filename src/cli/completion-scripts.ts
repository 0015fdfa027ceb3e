import { allOf, type CommandEntry, type OptionEntry } from './command-tree.js';

/** Words that may stand after a command: its commands, options and choices of its arguments. */
function wordsOf({ commands, options, args }: CommandEntry): string[] {
  return [
    ...commands.map(({ path }) => path.at(-1) ?? ''),
    ...args.flatMap(({ choices }) => [...choices]),
    ...options.flatMap(({ names }) => names),
  ];
}

const takesFile = ({ value = '' }: OptionEntry) => /file|dir|path/.test(value);

/** Cases of a shell's `case`, for what follows an option that takes a value. */
function valueCases(tree: CommandEntry, files: string): string[] {
  return [...allOf(tree)].flatMap(({ path, options }) =>
    options.flatMap((option) => {
      if (option.value === undefined) return [];
      const pattern = option.names.map((name) => `'${path.join(' ')} ${name}'`).join('|');
      const words = option.choices.join(' ');
      const act = takesFile(option) ? files : `words='${words}'`;
      return [`    ${pattern}) ${act}; value=1 ;;`];
    }),
  );
}

/** bash 4 or newer, with nothing beside it. */
export function bashCompletion(tree: CommandEntry): string {
  const commands = [...allOf(tree)];
  const paths = commands.slice(1).map(({ path }) => `    '${path.join(' ')}') at="$next" ;;`);
  const words = commands.map(
    (one) => `    '${one.path.join(' ')}') words='${wordsOf(one).join(' ')}' ;;`,
  );
  return `# bash completion for scriptd: source <(scriptd completion bash)
_scriptd() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local at='scriptd' words='' value='' index next
  for ((index = 1; index < COMP_CWORD; index++)); do
    next="$at \${COMP_WORDS[index]}"
    case "$next" in
${paths.join('\n')}
    esac
  done
  COMPREPLY=()
  case "$at $previous" in
${valueCases(tree, 'COMPREPLY=($(compgen -f -- "$current"))').join('\n')}
  esac
  if [[ -z $value ]]; then
    case "$at" in
${words.join('\n')}
    esac
  fi
  [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _scriptd scriptd
`;
}

/** zsh, by what is completed for bash. */
export function zshCompletion(tree: CommandEntry): string {
  return `#compdef scriptd
# zsh completion for scriptd: source <(scriptd completion zsh), after compinit
autoload -Uz bashcompinit && bashcompinit
${bashCompletion(tree)}`;
}

/** A text as a word of fish. */
const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export function fishCompletion(tree: CommandEntry): string {
  const lines = ['# fish completion for scriptd', 'complete -c scriptd -f'];
  for (const { path, commands, options, args } of allOf(tree)) {
    const [, ...names] = path;
    const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`);
    const children = commands.map((child) => child.path.at(-1) ?? '');
    const free =
      children.length > 0 ? [`not __fish_seen_subcommand_from ${children.join(' ')}`] : [];
    const when = [...seen, ...free].join('; and ') || 'true';
    for (const { path, description } of commands) {
      lines.push(
        `complete -c scriptd -n ${quoted(when)} -a ${quoted(path.at(-1) ?? '')} -d ${quoted(description)}`,
      );
    }
    const choices = args.flatMap((argument) => [...argument.choices]);
    if (choices.length > 0) {
      lines.push(`complete -c scriptd -n ${quoted(when)} -a ${quoted(choices.join(' '))}`);
    } else if (path.at(-1) === 'submit') lines.push(`complete -c scriptd -n ${quoted(when)} -F`);
    for (const option of options) {
      const flags = option.names.map((name) =>
        name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
      );
      const value =
        option.value === undefined
          ? ''
          : takesFile(option)
            ? ' -r -F'
            : ` -x${option.choices.length > 0 ? ` -a ${quoted(option.choices.join(' '))}` : ''}`;
      lines.push(
        `complete -c scriptd -n ${quoted(when)} ${flags.join(' ')}${value} -d ${quoted(option.description)}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
