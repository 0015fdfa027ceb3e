/** What is submitted: one script of some sort, which notes that it is executed. */
export interface Script {
  type: 'python' | 'bash' | 'noop';
  code: string;
  /** False: it cannot note its execution. */
  notes: boolean;
}

type Make = (note: { bash: string; python: string }) => Script;

/** Bytes of output of a script that has much of it. */
const heavyBytes = 65_536;

/** Each sort as often as it stands here. */
const sorts: readonly Make[] = [
  ...Array<Make>(5).fill(({ bash }) => script('bash', `${bash}\necho short\n`)),
  ...Array<Make>(2).fill(({ python }) => script('python', `${python}\nprint("short")\n`)),
  ...Array<Make>(2).fill(({ bash }) => script('bash', `${bash}\nsleep 0.3\necho longer\n`)),
  ({ python }) => script('python', `${python}\nimport time\ntime.sleep(1)\nprint("longer")\n`),
  ({ bash }) => script('bash', `${bash}\necho fails >&2\nexit 3\n`),
  ({ python }) => script('python', `${python}\nraise ValueError("fails")\n`),
  ({ bash }) => script('bash', `${bash}\nhead -c ${heavyBytes} /dev/zero | tr '\\0' x\n`),
  ...Array<Make>(2).fill(() => ({ type: 'noop', code: 'nothing', notes: false })),
];

/**
 * A script of a sort taken at random.
 *
 * @param mark letters, digits, `-` and `.`: the line that its execution adds to the file
 */
export function someScript(mark: string, notesFile: string, random: () => number): Script {
  const quoted = `'${notesFile.replaceAll("'", `'\\''`)}'`;
  const note = {
    bash: `echo ${mark} >> ${quoted}`,
    python: `open(${JSON.stringify(notesFile)}, "a").write("${mark}\\n")`,
  };
  const make = sorts[Math.floor(random() * sorts.length)] ?? (() => script('bash', note.bash));
  return make(note);
}

function script(type: Script['type'], code: string): Script {
  return { type, code, notes: true };
}
