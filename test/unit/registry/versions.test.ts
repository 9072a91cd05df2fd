import { describe, expect, test } from 'vitest';
import type { OutgoingMessage } from '../../../shared/platform/storage/queue.ts';
import { createRegistration, createRegistry } from '../../support/tracking/registry.ts';
import { createDocuments, metadataStores } from '../../support/stores.ts';

describe.each(metadataStores)('versions on $name', ({ open }) => {
  test('gives 16 concurrent registrations consecutive versions', async () => {
    const registry = createRegistry(await open());
    await registry.models.create({ name: 'm' }, 'ada');
    const registration = createRegistration(registry);
    const made = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        registration.register({ model: 'm', source: `s3://b/${i}` }, 'ada'),
      ),
    );
    expect(made.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    expect((await registry.models.get('m')).latestByStage).toEqual({ None: 16 });
  });

  test('archives more versions of a stage than a batch can hold', async () => {
    const registry = createRegistry(await open());
    await registry.models.create({ name: 'm' }, 'ada');
    for (let i = 1; i <= 32; i += 1) {
      await createRegistration(registry).register({ model: 'm', source: `s3://b/${i}` }, 'ada');
      await registry.stages.transition('m', i, 'Staging', false, 'ada');
    }
    await registry.stages.transition('m', 3, 'Staging', true, 'ada');
    const { items } = await registry.versions.list('m', { limit: 100 });
    expect(items.filter(({ stage }) => stage === 'Staging').map(({ version }) => version)).toEqual([3]);
    expect((await registry.models.get('m')).latestByStage).toEqual({ Staging: 3, Archived: 32 });
  });

  test('deletes more aliases with a version than a batch can hold', async () => {
    const registry = createRegistry(await open());
    await registry.models.create({ name: 'm' }, 'ada');
    await createRegistration(registry).register({ model: 'm', source: 's3://b/1' }, 'ada');
    for (let i = 0; i < 30; i += 1) await registry.aliases.move('m', `a${i}`, 1, 'ada');
    await registry.stages.remove('m', 1, 'ada');
    expect((await registry.models.get('m')).aliases).toEqual({});
    expect(await registry.aliases.list('m')).toEqual([]);
  });
});

test('keeps only the number of a deleted version', async () => {
  const store = createDocuments();
  const registry = createRegistry(store);
  await registry.models.create({ name: 'm' }, 'ada');
  const secret = { source: 's3://secret/x', description: 'secret', tags: { secret: 'secret' } };
  await createRegistration(registry).register({ model: 'm', ...secret }, 'secret');
  await registry.stages.remove('m', 1, 'ada');
  const { documents } = await store.list({ container: 'registry', partition: 'm', limit: 100 });
  const left = documents.filter(({ body }) => body['kind'] !== 'event' && body['kind'] !== 'outbox');
  expect(JSON.stringify(left)).not.toContain('secret');
});

test('records and announces an event for every change', async () => {
  const sent: OutgoingMessage[] = [];
  const store = createDocuments();
  const registry = createRegistry(store, { sent });
  await registry.models.create({ name: 'm' }, 'ada');
  await createRegistration(registry).register({ model: 'm', source: 's3://b/1' }, 'ada');
  await registry.models.setTag('m', '__proto__', 'x', 'ada');
  await registry.versions.setTag('m', 1, 'k', 'v', 'ada');
  await registry.versions.setTag('m', 1, 'k', 'v', 'ada');
  await registry.versions.update('m', 1, 'about it', 'ada');
  await registry.aliases.move('m', 'production', 1, 'ada');
  await registry.aliases.move('m', 'production', 1, 'ada');
  await registry.stages.transition('m', 1, 'Production', true, 'ada');
  await registry.approvals.decide('m', 1, { decision: 'approve', reason: 'good' }, 'grace');
  await registry.stages.remove('m', 1, 'ada');
  const actions = [
    'model.created',
    'modelVersion.created',
    'model.tagSet',
    'modelVersion.tagSet',
    'modelVersion.updated',
    'alias.moved',
    'modelVersion.stageChanged',
    'modelVersion.approved',
    'alias.deleted',
    'modelVersion.deleted',
  ];
  expect(sent.map(({ subject }) => subject)).toEqual(actions);
  expect((await registry.models.get('m')).tags).toEqual(Object.fromEntries([['__proto__', 'x']]));
  const { documents } = await store.list({
    container: 'registry',
    partition: 'm',
    filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'event' },
    sort: { path: ['event', 'eventId'], direction: 'asc' },
    limit: 100,
  });
  expect(documents.map(({ body }) => (body['event'] as { action: string }).action)).toEqual(actions);
});
