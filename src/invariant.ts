/** A broken assumption of ours. Never caught to go on: the part that threw it crashes. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Asserts what can't be otherwise unless the program is wrong. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** For the default branch of a switch over a closed union: the compiler proves it is not reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
