/**
 * Words of tasks, apart from their schemas: a command that only uses a service starts without those.
 */

/** What a script may reach. */
export const networks = ['none', 'host'] as const;
export type Network = (typeof networks)[number];

export const taskStates = ['pending', 'running', 'finished'] as const;
export type TaskState = (typeof taskStates)[number];
