import { ScriptdError } from '../../errors.js';
import type { SpawnPlan, StartedProcess } from '../sandbox.js';

// Until the addon has it.
export interface ForkRequest {
  streams: Omit<StartedProcess, 'pid' | 'pidfd'>;
  close(): void;
}
const none = () => {
  throw new ScriptdError('ENOSYS', 'no fork server yet');
};
export const openForked: (pid: number) => number = none;
export const readForkReply: (bytes: Uint8Array) => { pid: number } | { errno: number } = none;
export const requestFork: (fd: number, plan: SpawnPlan) => ForkRequest = none;
export const startForkServer: (plan: SpawnPlan) => StartedProcess & { requests: number } = none;
export const sharedLibrary = () => '';
