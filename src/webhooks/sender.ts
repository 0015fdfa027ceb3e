import { closeInheritedStore } from '../inherited-store.js';
import { invariant } from '../invariant.js';
import type { Done, Job } from './courier.js';
import { bodyOf } from './notice.js';
import { type Answer, post } from './post.js';
import { Reach } from './reach.js';
import { signatureHeaders } from './signature.js';

/**
 * The process that talks to receivers. It knows nothing but what it is handed, and ends with
 * whoever started it. Its arguments are what `webhookAllow` allows.
 */

closeInheritedStore();
const reach = new Reach(process.argv.slice(2));

process.on('disconnect', () => process.exit(0));
// A terminal and systemd tell every process: this one is ended by the controller.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (job: Job) => {
  void perform(job).then((done) => process.connected && process.send?.(done));
});

async function perform({ job, url, keys, id, tries, notice }: Job): Promise<Done> {
  const at = Date.now();
  const startMs = performance.now();
  const body = bodyOf(notice);
  const signed = signatureHeaders({ id, timestampS: Math.floor(at / 1000), body }, keys);
  const headers = { 'content-type': 'application/json', 'user-agent': 'scriptd', ...signed };
  const answer: Answer = await post({ url, headers, body, tries }, { reach });
  return { job, answer: { ...answer, at, durationMs: performance.now() - startMs } };
}

invariant(process.send, 'it is started by a controller');
