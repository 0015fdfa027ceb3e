/** What `import … from 'scriptd/client'` brings. docs/CLIENT.md shows its use. */
export { ScriptdError } from '../errors.js';
export type { Code, Outcome } from '../verdict.js';
export type { BatchLine, BatchOptions, BatchTask } from './batch.js';
export type { EventOptions, Output, StateChange, TaskEvent } from './events.js';
export { type Problem, type ServiceCode, ServiceError } from './problem.js';
export type { Answer, Fetch, OnRetry } from './requests.js';
export { type CallOptions, Scriptd, type ScriptdOptions, type SubmitOptions } from './scriptd.js';
export * from './task.js';
export type { Scope, TokenInfo, TokenList, TokenSpec } from './token.js';
