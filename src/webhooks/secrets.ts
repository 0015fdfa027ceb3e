import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ensureFile } from '../durable-file.js';
import { ScriptdError } from '../errors.js';
import { secretBytes } from '../webhook.js';
import { webhookLimits } from './limits.js';

/**
 * The keys that sign what is sent for tasks without a secret of their own, from a file of one secret
 * a line; with `create`, one is made (mode 0600) where there is none or an empty file.
 *
 * @throws ScriptdError TOKEN_UNREADABLE, BAD_CONFIG
 */
export function readWebhookSecrets(path: string, options: { create: boolean }): Buffer[] {
  let text: string;
  try {
    if (options.create) ensureFile(path, `whsec_${randomBytes(32).toString('base64')}\n`);
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `the webhooks' secret cannot be read from ${path}`;
    throw new ScriptdError('TOKEN_UNREADABLE', message, { cause });
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const keys = lines.flatMap((line) => secretBytes(line.trim()) ?? []);
  if (keys.length === lines.length && keys.length > 0 && keys.length <= webhookLimits.secretsMax) {
    return keys;
  }
  const message =
    `${path} must have one to ${webhookLimits.secretsMax} secrets of webhooks, one a line: ` +
    'make one with `echo whsec_$(openssl rand -base64 32)`';
  throw new ScriptdError('BAD_CONFIG', message);
}
