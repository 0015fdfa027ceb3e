// What the Workers of sandbox-lifetime.test.ts run.
import { parentPort, workerData } from 'node:worker_threads';
import { startProcess } from '../../src/worker/sandbox.js';
import { closeAll, run, shell } from './sandbox-process.js';

if (workerData.sleep) {
  const { pid, pidfd, stdout, stderr } = startProcess(shell('exec sleep 1000'));
  closeAll(pidfd, stdout, stderr);
  parentPort?.postMessage(pid);
  setInterval(() => undefined, 1000); // until terminated
} else {
  const outputs: string[] = [];
  for (let i = 0; i < 100; i++) {
    outputs.push((await run(shell(`echo ${workerData.echo}${i}`))).stdout);
  }
  parentPort?.postMessage(outputs);
}
