import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWebhookKey } from '../../../local/data-dir.ts';
import { loadConfig } from '../../../shared/core/config.ts';
import { createFolder } from '../../support/stores.ts';

const required = {
  SLIPWAY_METADATA_FILE: 'metadata.db',
  SLIPWAY_QUEUE_FILE: 'host.db',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};
const load = (env: Record<string, string>) =>
  loadConfig({ ...required, ...env }, { version: '1.2.3', commit: 'abc' }).webhooks;

test('defaults to public targets and no keys', () => {
  expect(load({})).toEqual({ keys: [], targets: 'public', timeoutMs: 15_000, attempts: 8 });
});

test('keeps the order of the keys', () => {
  const keys = [randomBytes(32), randomBytes(32)];
  const text = keys.map((key) => key.toString('base64')).join(', ');
  expect(load({ SLIPWAY_WEBHOOK_KEYS: text }).keys).toEqual(keys);
});

test.each(['c2hvcnQ=', randomBytes(31).toString('base64'), `${randomBytes(32).toString('base64')},short`])(
  'refuses a key of another length without repeating it',
  (text) => {
    const attempt = () => load({ SLIPWAY_WEBHOOK_KEYS: text });
    expect(attempt).toThrow('SLIPWAY_WEBHOOK_KEYS');
    expect(attempt).not.toThrow(text);
  },
);

test('refuses an unknown target policy', () => {
  expect(load({ SLIPWAY_WEBHOOK_TARGETS: 'any' }).targets).toBe('any');
  expect(() => load({ SLIPWAY_WEBHOOK_TARGETS: 'all' })).toThrow('SLIPWAY_WEBHOOK_TARGETS');
});

test('creates the local key once, readable only by its owner', () => {
  const file = join(createFolder(), 'webhook.key');
  const key = openWebhookKey(file);
  expect(load({ SLIPWAY_WEBHOOK_KEYS: key }).keys).toHaveLength(1);
  expect(openWebhookKey(file)).toBe(key);
  expect(readFileSync(file, 'utf8').trim()).toBe(key);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(existsSync(`${file}.new`)).toBe(false);
});
