import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AuditLog } from '../../../shared/platform/audit/audit-log.ts';
import { AuditedWriter } from '../../../shared/platform/audit/audited-writer.ts';
import { Outbox } from '../../../shared/platform/audit/outbox.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { NewWebhook } from '../../../shared/domains/webhooks/entities.ts';
import { createSecretBox } from '../../../shared/domains/webhooks/secret-box.ts';
import { Webhooks } from '../../../shared/domains/webhooks/webhooks.ts';
import { createDocuments, metadataStores, system } from '../../support/stores.ts';

function createWebhooks(store: MetadataStore, keys: readonly Uint8Array[] = [randomBytes(32)]): Webhooks {
  const outbox = new Outbox({
    store,
    queue: { send: async () => {} },
    clock: system.clock,
    logger: silentLogger,
  });
  const audited = new AuditedWriter({ store, outbox, ...system });
  return new Webhooks({ store, audited, secrets: createSecretBox(keys), ...system }, { targets: 'public' });
}

const given: NewWebhook = {
  name: 'hook',
  url: 'https://example.com/hooks/very-secret-path',
  events: ['model_version.created', 'prompt.created', 'model_version.created'],
  secret: 'very-secret-secret',
};

describe.each(metadataStores)('webhooks on $name', ({ open }) => {
  test('finds active webhooks by event and lists them newest first', async () => {
    const webhooks = createWebhooks(await open());
    const one = await webhooks.create(given, 'ada');
    const two = await webhooks.create({ ...given, events: ['model_version_alias.deleted'] }, 'ada');
    const idle = await webhooks.create({ ...given, status: 'DISABLED' }, 'ada');
    const ids = async (...events: Parameters<Webhooks['listSubscribed']>[0]) =>
      (await webhooks.listSubscribed(events)).map(({ webhookId }) => webhookId).sort();
    await expect(ids('prompt.created')).resolves.toEqual([one.webhookId]);
    await expect(ids('prompt.created', 'model_version_alias.deleted')).resolves.toEqual(
      [one.webhookId, two.webhookId].sort(),
    );
    await expect(ids('prompt_tag.set')).resolves.toEqual([]);
    await expect(ids()).resolves.toEqual([]);
    await webhooks.update(one.webhookId, { events: ['prompt_tag.set'] }, 'ada');
    await webhooks.update(idle.webhookId, { status: 'ACTIVE' }, 'ada');
    await expect(ids('prompt.created')).resolves.toEqual([idle.webhookId]);
    await expect(ids('prompt_tag.set')).resolves.toEqual([one.webhookId]);
    const { items } = await webhooks.list({ limit: 10 });
    expect(items.map(({ createdAt }) => createdAt)).toEqual(
      items.map(({ createdAt }) => createdAt).sort((a, b) => b - a),
    );
    expect(items).toHaveLength(3);
  });

  test('shows a secret to the sender only', async () => {
    const store = await open();
    const webhooks = createWebhooks(store);
    const webhook = await webhooks.create(given, 'ada');
    expect(webhook).toMatchObject({ isSigned: true, events: ['model_version.created', 'prompt.created'] });
    await expect(webhooks.openSecret(webhook.webhookId)).resolves.toBe(given.secret);
    await webhooks.update(webhook.webhookId, { secret: 'another-very-secret' }, 'ada');
    await expect(webhooks.openSecret(webhook.webhookId)).resolves.toBe('another-very-secret');
    const { items: events } = await new AuditLog(store).list({}, { limit: 10 });
    const everything = JSON.stringify([
      webhook,
      await webhooks.list({ limit: 10 }),
      events,
      (await store.list({ container: 'webhooks', limit: 100 })).documents.map(
        ({ body }) => body['detail'] ?? null,
      ),
    ]);
    expect(everything).not.toContain('very-secret-secret');
    expect(everything).not.toContain('another-very-secret');
    // A path can be a secret, too: only the list of webhooks shows it.
    expect(JSON.stringify(events)).not.toContain('very-secret-path');
    await webhooks.update(webhook.webhookId, { secret: '' }, 'ada');
    await expect(webhooks.openSecret(webhook.webhookId)).resolves.toBeUndefined();
  });

  test('updates single members, each change with its event', async () => {
    const store = await open();
    const webhooks = createWebhooks(store);
    const before = await webhooks.create({ ...given, description: 'first' }, 'ada');
    const { webhookId } = before;
    const after = await webhooks.update(webhookId, { name: 'other', description: '' }, 'bob');
    const { description: _, ...rest } = before;
    expect(after).toEqual({ ...rest, name: 'other', updatedAt: after.updatedAt });
    expect(after.updatedAt).toBeGreaterThan(before.updatedAt);
    await expect(webhooks.get(webhookId)).resolves.toEqual(after);
    await webhooks.delete(webhookId, 'eve');
    await expect(webhooks.get(webhookId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { items } = await new AuditLog(store).list({ webhookId }, { limit: 10 });
    expect(items.map(({ by, action }) => [by, action])).toEqual([
      ['eve', 'webhook.deleted'],
      ['bob', 'webhook.updated'],
      ['ada', 'webhook.created'],
    ]);
    expect(items[1]).toMatchObject({
      before: { name: 'hook', description: 'first' },
      after: { name: 'other', description: null },
    });
  });
});

test('keeps every concurrent update', async () => {
  const webhooks = createWebhooks(createDocuments());
  const { webhookId } = await webhooks.create(
    { name: 'a', url: given.url, events: ['prompt.created'] },
    'ada',
  );
  await Promise.all([
    webhooks.update(webhookId, { name: 'b' }, 'ada'),
    webhooks.update(webhookId, { description: 'c' }, 'ada'),
    webhooks.update(webhookId, { status: 'DISABLED' }, 'ada'),
    webhooks.update(webhookId, { secret: 'd' }, 'ada'),
  ]);
  await expect(webhooks.get(webhookId)).resolves.toMatchObject({
    name: 'b',
    description: 'c',
    status: 'DISABLED',
    isSigned: true,
  });
});

test.each<[string, Partial<NewWebhook>]>([
  ['Webhook name', { name: '' }],
  ['Webhook name', { name: '-a' }],
  ['Webhook name', { name: 'a'.repeat(64) }],
  ['Webhook name', { name: 'a b' }],
  ['Invalid webhook URL scheme', { url: 'http://example.com' }],
  ['non-empty list', { events: [] }],
  ['description', { description: 'x'.repeat(1_001) }],
  ['secret', { secret: 'x'.repeat(1_025) }],
])('refuses an invalid %s', async (message, wrong) => {
  const webhooks = createWebhooks(createDocuments());
  await expect(webhooks.create({ ...given, ...wrong }, 'ada')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(message) as unknown,
  });
  await expect(webhooks.list({ limit: 10 })).resolves.toEqual({ items: [] });
});

test('refuses a secret without a key and names the setting', async () => {
  const webhooks = createWebhooks(createDocuments(), []);
  await expect(webhooks.create(given, 'ada')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('SLIPWAY_WEBHOOK_KEYS') as unknown,
  });
  const { secret: _, ...unsigned } = given;
  await expect(webhooks.create(unsigned, 'ada')).resolves.toMatchObject({ isSigned: false });
});

test.each(['nonexistent', '', '../x', 'a/b', '\0'])('finds no webhook %j', async (webhookId) => {
  const webhooks = createWebhooks(createDocuments());
  await expect(webhooks.get(webhookId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(webhooks.update(webhookId, {}, 'ada')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(webhooks.delete(webhookId, 'ada')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
