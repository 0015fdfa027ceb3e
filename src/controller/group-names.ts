interface Name {
  text: string;
  rows: number;
}

/** Which group the rows of a table belong to: each name is kept once, as long as a row has it. */
export class GroupNames {
  readonly #names = new Map<string, Name>();
  /** By row; only of those that have one. */
  readonly #rows = new Map<number, Name>();

  set(row: number, group: string | undefined): void {
    if (group === undefined) return;
    const name = this.#names.get(group) ?? { text: group, rows: 0 };
    if (name.rows++ === 0) this.#names.set(group, name);
    this.#rows.set(row, name);
  }

  /** The row is free afterwards. */
  take(row: number): string | undefined {
    const name = this.#rows.get(row);
    if (!name) return undefined;
    this.#rows.delete(row);
    if (--name.rows === 0) this.#names.delete(name.text);
    return name.text;
  }
}
