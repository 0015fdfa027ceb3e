import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ClientListener } from '../../src/controller/client-listener.js';
import { type ClientRequests, Watches } from '../../src/controller/clients.js';
import { Followers, type FollowersOptions } from '../../src/controller/followers.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { Transport } from '../../src/wire/transport.js';

export const token = Buffer.from('a wire token for the tests only');

/** No task, and no worker. */
const nobody: FollowersOptions = {
  read: async () => undefined,
  flying: () => undefined,
  send: () => undefined,
};

/** A real listener for http daemons, whose controller has only what it is asked for. */
export function listening(
  t: Test,
  requests: Partial<ClientRequests>,
  following: Partial<FollowersOptions> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-clients-'));
  const address = parseAddress(`unix:${join(folder, 'controller.sock')}`);
  const poller = new Poller();
  t.teardown(() => {
    poller.close();
    rmSync(folder, { recursive: true });
  });
  const watches = new Watches();
  const followers = new Followers({ ...nobody, ...following });
  new ClientListener({
    poller,
    addresses: [address],
    transport: new Transport(),
    local: { role: 'controller', id: 'controller', instance: 'c' },
    token,
    requests: requests as ClientRequests,
    watches,
    followers,
    log: createLog('test', 'silent'),
  }).open();
  return { poller, address, watches, followers };
}
