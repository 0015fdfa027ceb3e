import type { Config } from '../config/settings.js';
import type { Log } from '../log.js';
import { Courier } from '../webhooks/courier.js';
import { Reach } from '../webhooks/reach.js';
import { readWebhookSecrets } from '../webhooks/secrets.js';
import type { Layout } from './layout.js';

/**
 * How the controller tells webhooks.
 *
 * @throws ScriptdError BAD_CONFIG, TOKEN_UNREADABLE
 */
export function webhooksOf({ webhookAllow, webhookSecretFile }: Config, layout: Layout, log: Log) {
  const create = webhookSecretFile === '';
  return {
    reach: new Reach(webhookAllow),
    keys: readWebhookSecrets(layout.webhookSecretFile, { create }),
    courier: new Courier({ allow: webhookAllow, log }),
  };
}
