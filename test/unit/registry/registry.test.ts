import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../shared/core/ids.ts';
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
