import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../shared/core/ids.ts';
import { toNewVersion } from '../../../shared/domains/registry/trained-version.ts';
import { createRegistry, registerTrained } from '../../support/tracking/registry.ts';
import { metadataStores } from '../../support/stores.ts';

const candidate = (runId: string) => ({
  model: 'late-flights',
  sha256: sha256(runId),
  sizeBytes: 10,
  metrics: { aucScore: 0.7 },
  lineage: {
    runId,
    codeVersion: 'test',
    dataset: { name: 'flights', version: 0, sha256: sha256('data') },
    training: {},
  },
});

describe.each(metadataStores)('the registry on $name', ({ open }) => {
  test('numbers versions from 1; a run registers one, however often it retries', async () => {
    const registry = createRegistry(await open());
    await registerTrained(registry, candidate('run-1'));
    await registerTrained(registry, candidate('run-2'));
    const again = await registerTrained(registry, candidate('run-1'));
    expect(again.version).toBe(1);
    const { items } = await registry.versions.list('late-flights', { limit: 10 });
    expect(items.map(({ version }) => version)).toEqual([2, 1]);
  });

  test('refuses a key that registered another file, instead of answering with its version', async () => {
    const registry = createRegistry(await open());
    const register = (text: string) =>
      registry.versions.create(toNewVersion({ ...candidate('run-1'), sha256: sha256(text) }), {
        once: 'run-1.register',
        createModel: true,
      });
    expect((await register('good')).version).toBe(1);
    await expect(register('noise')).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: expect.stringContaining('as version 1 of "late-flights"') as string,
    });
    expect((await register('good')).sha256).toBe(sha256('good'));
    expect((await registry.versions.list('late-flights', { limit: 10 })).items).toHaveLength(1);
  });

  test('gives 16 concurrent runs 16 versions', async () => {
    const registry = createRegistry(await open());
    const made = await Promise.all(
      Array.from({ length: 16 }, (_, i) => registerTrained(registry, candidate(`run-${i}`))),
    );
    expect(new Set(made.map(({ version }) => version)).size).toBe(16);
  });

  test('an alias records its previous version; repeating a move changes nothing', async () => {
    const registry = createRegistry(await open());
    await registerTrained(registry, candidate('run-1'));
    await registerTrained(registry, candidate('run-2'));
    await registry.aliases.move('late-flights', 'production', 1, 'ada');
    const moved = await registry.aliases.move('late-flights', 'production', 2, 'ada');
    const again = await registry.aliases.move('late-flights', 'production', 2, 'grace');
    expect(moved).toMatchObject({ version: 2, previousVersion: 1, movedBy: 'ada' });
    expect(again).toEqual(moved);
  });

  test('a repeated move of an alias does not undo a later one', async () => {
    const registry = createRegistry(await open());
    await registerTrained(registry, candidate('run-1'));
    await registerTrained(registry, candidate('run-2'));
    const move = (version: number, once: string) =>
      registry.aliases.move('late-flights', 'production', version, 'ada', { once });
    const first = await move(1, 'run.first');
    const same = await move(1, 'run.same');
    const second = await move(2, 'run.second');
    expect(await move(1, 'run.first')).toEqual(first);
    expect(await move(1, 'run.same')).toEqual(same);
    expect(await registry.aliases.get('late-flights', 'production')).toEqual(second);
    expect((await move(1, 'run.third')).previousVersion).toBe(2);
  });

  test('an alias cannot point to a missing version', async () => {
    const registry = createRegistry(await open());
    await expect(registry.aliases.move('late-flights', 'production', 1, 'ada')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(registry.aliases.get('late-flights', 'production')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
