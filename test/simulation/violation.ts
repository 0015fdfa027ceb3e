/** Something happened that must not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** The check that a run is for: it must not depend on what it checks. */
export function must(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Violation(message);
}
