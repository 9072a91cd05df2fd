import { describe, expect, test } from 'vitest';
import { isAppError } from '../../../shared/core/errors.ts';
import type { Registry } from '../../../shared/domains/registry/registry.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { createRegistration, createRegistry } from '../../support/tracking/registry.ts';
import { createDocuments, metadataStores } from '../../support/stores.ts';

/** A model with everything that a model can have. */
async function fill(registry: Registry, model = 'old'): Promise<void> {
  const registration = createRegistration(registry);
  await registry.models.create({ name: model, description: 'about it', tags: { a: '1' } }, 'ada');
  for (const source of ['s3://b/1', 's3://b/2', 's3://b/3'])
    await registration.register({ model, source, tags: { from: source } }, 'ada');
  await registry.aliases.move(model, 'production', 1, 'ada');
  await registry.aliases.move(model, 'a'.repeat(255), 3, 'ada');
  await registry.stages.transition(model, 3, 'Staging', false, 'ada');
  await registry.stages.remove(model, 2, 'ada');
  await registry.approvals.decide(model, 1, { decision: 'approve', reason: 'good' }, 'grace');
  await registry.approvals.setPolicy(model, { aliases: ['production'], distinctApprover: true }, 'ada');
}

/** Everything that a rename must preserve. */
async function read(registry: Registry, model: string): Promise<unknown> {
  const { name: _, updatedAt: __, ...head } = await registry.models.get(model);
  const versions = (await registry.versions.list(model, { limit: 100 })).items.map(
    ({ model: ___, updatedAt: ____, ...version }) => version,
  );
  const aliases = (await registry.aliases.list(model)).map(({ model: ___, ...alias }) => alias);
  const approvals = await registry.approvals.list(model, 1, { limit: 10 });
  return { head, versions, aliases, approvals };
}

async function exists(registry: Registry, model: string): Promise<boolean> {
  try {
    await registry.models.get(model);
    return true;
  } catch (error) {
    if (isAppError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}

/** Fails at its n-th write, before or after making it, and at every later call, as if the process had been killed. */
function dieAt(store: MetadataStore, at: number, when: 'before' | 'after'): MetadataStore {
  let writes = 0;
  let isDead = false;
  const die = () => {
    isDead = true;
    throw new Error('killed');
  };
  const writing = new Set(['create', 'replace', 'upsert', 'delete', 'batch']);
  return new Proxy(store, {
    get(target, name) {
      const method = target[name as keyof MetadataStore] as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        if (isDead) die();
        if (!writing.has(String(name))) return method.apply(target, args);
        writes += 1;
        if (writes === at && when === 'before') die();
        const result = await method.apply(target, args);
        if (writes === at && when === 'after') die();
        return result;
      };
    },
  });
}

/** What is left of a model, without its events and the outbox. */
async function kindsIn(store: MetadataStore, partition: string): Promise<unknown[]> {
  const { documents } = await store.list({ container: 'registry', partition, limit: 1_000 });
  const kinds = new Set(documents.map(({ body }) => body['kind']));
  return [...kinds].filter((kind) => kind !== 'event' && kind !== 'outbox');
}

describe.each(['before', 'after'] as const)('killed %s any write', (when) => {
  test('a rename is atomic, loses nothing, and can be repeated', async () => {
    let deaths = 0;
    for (let at = 1; ; at += 1) {
      const store = createDocuments();
      const registry = createRegistry(store);
      await fill(registry);
      const whole = await read(registry, 'old');
      const dying = createRegistry(dieAt(store, at, when)).models.rename('old', 'new', 'ada');
      const isKilled = await dying.then(
        () => false,
        () => true,
      );
      if (!isKilled) break;
      deaths += 1;
      const where = (await exists(registry, 'old')) ? 'old' : 'new';
      expect.soft(await read(registry, where), `at write ${at}`).toEqual(whole);
      if (at % 2 === 0) await registry.models.finishInterrupted();
      await registry.models.rename('old', 'new', 'ada');
      expect.soft(await read(registry, 'new'), `at write ${at}, again`).toEqual(whole);
      expect.soft(await exists(registry, 'old')).toBe(false);
      expect.soft(await kindsIn(store, 'old')).toEqual([]);
      await registry.models.create({ name: 'old' }, 'ada');
      expect.soft((await registry.models.get('old')).latestVersion).toBe(0);
    }
    expect(deaths).toBeGreaterThan(5);
  });

  test('a deletion is atomic, and frees the name', async () => {
    let deaths = 0;
    for (let at = 1; ; at += 1) {
      const store = createDocuments();
      const registry = createRegistry(store);
      await fill(registry);
      const whole = await read(registry, 'old');
      const dying = createRegistry(dieAt(store, at, when)).models.remove('old', 'ada');
      const isKilled = await dying.then(
        () => false,
        () => true,
      );
      if (!isKilled) break;
      deaths += 1;
      if (await exists(registry, 'old')) {
        expect.soft(await read(registry, 'old'), `at write ${at}`).toEqual(whole);
        await registry.models.remove('old', 'ada');
      }
      if (at % 2 === 0) await registry.models.finishInterrupted();
      await expect.soft(registry.versions.get('old', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await registry.models.create({ name: 'old' }, 'ada');
      expect.soft((await registry.versions.list('old', { limit: 10 })).items).toEqual([]);
      expect.soft(await kindsIn(store, 'old')).toEqual(['model']);
    }
    expect(deaths).toBeGreaterThan(1);
  });
});

test('the claim of a cancelled move does not block the name', async () => {
  const store = createDocuments();
  const registry = createRegistry(store);
  await fill(registry);
  // Writes: the lock, then the claim.
  await createRegistry(dieAt(store, 2, 'after'))
    .models.rename('old', 'new', 'ada')
    .catch(() => undefined);
  const head = await store.get({ container: 'registry', partition: 'old', id: 'head' });
  const { move: _, ...detail } = head!.body['detail'] as Record<string, never>;
  await store.replace(head!, { ...head!.body, detail }, head!.etag);
  await registry.models.create({ name: 'new', description: 'another' }, 'grace');
  expect(await registry.models.get('new')).toMatchObject({ description: 'another', latestVersion: 0 });
  expect((await registry.models.get('old')).latestVersion).toBe(3);
});

describe.each(metadataStores)('renaming on $name', ({ open }) => {
  test('survives concurrent registrations, alias moves and renames', async () => {
    const registry = createRegistry(await open());
    await fill(registry);
    await registry.approvals.setPolicy('old', null, 'ada');
    const registration = createRegistration(registry);
    const renames = Promise.allSettled([
      registry.models.rename('old', 'new', 'ada'),
      registry.models.rename('old', 'other', 'ada'),
      registry.models.create({ name: 'new', description: 'squatter' }, 'eve'),
    ]);
    const registrations = Promise.allSettled(
      Array.from({ length: 6 }, (_, i) =>
        registration.register({ model: 'old', source: `s3://c/${i}` }, 'bob'),
      ),
    );
    const moves = Promise.allSettled([registry.aliases.move('old', 'production', 3, 'bob')]);
    const [renamed, registered, moved] = await Promise.all([renames, registrations, moves]);
    for (const result of [...renamed, ...registered, ...moved])
      if (result.status === 'rejected')
        expect(['NOT_FOUND', 'ALREADY_EXISTS']).toContain((result.reason as { code: string }).code);
    const names: string[] = [];
    for (const name of ['old', 'new', 'other'])
      if ((await exists(registry, name)) && (await registry.models.get(name)).description === 'about it')
        names.push(name);
    expect(names).toHaveLength(1);
    const [name] = names;
    const { items } = await registry.versions.list(name!, { limit: 100 });
    const sources = registered.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value.source] : [],
    );
    expect(
      items
        .map(({ source }) => source)
        .filter((source) => source.startsWith('s3://c/'))
        .sort(),
    ).toEqual(sources.sort());
    expect((await registry.aliases.get(name!, 'production')).version).toBe(
      moved[0]?.status === 'fulfilled' ? 3 : 1,
    );
  });

  test('renames and deletes a model larger than a batch completely', async () => {
    const registry = createRegistry(await open());
    await registry.models.create({ name: 'many' }, 'ada');
    const registration = createRegistration(registry);
    for (let i = 0; i < 101; i += 1)
      await registration.register({ model: 'many', source: `s3://b/${i}` }, 'ada');
    await registry.models.rename('many', 'more', 'ada');
    expect((await registry.versions.list('more', { limit: 1_000 })).items).toHaveLength(101);
    await registry.models.remove('more', 'ada');
    await registry.models.create({ name: 'more' }, 'ada');
    expect((await registry.versions.list('more', { limit: 1_000 })).items).toEqual([]);
  });
});
