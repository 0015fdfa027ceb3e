import { allOf, type CommandEntry, type OptionEntry } from './command-tree.js';

/**
 * The manual page, of what commander knows. docs/scriptd.1 is this, and a test sees to that.
 *
 * Source: man-pages(7), groff_man(7)
 */
export function manualPage(tree: CommandEntry, version: string): string {
  const lines = [
    `.TH SCRIPTD 1 "" "scriptd ${version}" "scriptd"`,
    '.SH NAME',
    `scriptd \\- ${roff(tree.description)}`,
    '.SH SYNOPSIS',
    '.B scriptd',
    '.RI [ command ]',
    '.RI [ option .\\|.\\|.]',
    '.PP',
    'Without a command, up is meant.',
    '.SH COMMANDS',
  ];
  for (const entry of allOf(tree)) {
    if (entry.path.length === 1 || entry.commands.length > 0) continue;
    lines.push(`.SS ${entry.path.slice(1).join(' ')}${argsText(entry)}`);
    lines.push(text(entry.description));
    for (const option of entry.options) lines.push(...optionLines(option));
  }
  return `${[...lines, ...foot].join('\n')}\n`;
}

function argsText({ args }: CommandEntry): string {
  return args.map((argument) => ` ${roff(argument.text)}`).join('');
}

function optionLines({ names, value, choices, description }: OptionEntry): string[] {
  const flags = names.map((name) => `\\fB${roff(name)}\\fR`).join(', ');
  const argument = value === undefined ? '' : ` \\fI${roff(value)}\\fR`;
  const oneOf = choices.length > 0 ? `: ${choices.join(', ')}` : '';
  return ['.TP', `${flags}${argument}`, text(`${description}${oneOf}`)];
}

/** A line of its own: one that begins with a dot would be a request. */
function text(line: string): string {
  return roff(line).replace(/^([.'])/, '\\&$1');
}

function roff(line: string): string {
  return line.replaceAll('\\', '\\e').replaceAll('-', '\\-');
}

const foot = [
  '.SH ENVIRONMENT',
  ...[
    '.TP',
    '\\fBSCRIPTD_URL\\fR',
    'Address of the service that a command asks, without \\-\\-url.',
  ],
  ...['.TP', '\\fBSCRIPTD_TOKEN\\fR', 'The token that it is shown, without \\-\\-token\\-file.'],
  ...['.TP', '\\fBNO_COLOR\\fR', 'Nothing is coloured.'],
  '.PP',
  'Settings of a service have variables, too; each is named beside its option.',
  '.SH EXIT STATUS',
  ...['.TP', '0', 'Done.'],
  ...['.TP', '1', 'Something failed; the last line on stderr says what.'],
  ...['.TP', '64', 'The command line is wrong.'],
  ...['.TP', '69', 'A service cannot be reached, or an address is in use.'],
  ...['.TP', '75', 'The service has no room, or is being stopped: later it may go better.'],
  ...['.TP', '77', 'The token does not allow it, or there is none.'],
  ...['.TP', '78', 'The configuration is wrong.'],
  '.PP',
  'submit, and logs with \\-\\-follow, exit like the script: with its exit code, or 128 and the number of',
  'the signal that ended it. Where it had neither: 65 when its output is not what its check wants, 70',
  'when it failed by no doing of its own, 75 when it expired, 130 when it was cancelled.',
];
