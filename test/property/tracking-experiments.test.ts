import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAppError } from '../../shared/core/errors.ts';
import type { Experiment } from '../../shared/domains/tracking/entities.ts';
import { type Fate, makeFlaky } from '../support/documents/flaky-documents.ts';
import { metadataStores } from '../support/stores.ts';
import { openTracking } from '../support/tracking/tracking.ts';

const name = fc.constantFrom('a', 'b');
const which = fc.nat({ max: 5 });
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('create' as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rename' as const), which, name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tag' as const), which, name }) },
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;
const fate = fc.constantFrom<Fate>(...Array<Fate>(9).fill('ok'), 'late', 'late', 'before', 'after');
const clock = { now: () => Date.now(), sleep: async () => {} };

for (const { name: storeName, open } of metadataStores)
  test(`${storeName}: an active name has one experiment under races and failures`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(command, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fate),
        async (rounds, fates) => {
          const store = await open();
          const steady = openTracking(store, { clock });
          const lossy = makeFlaky(store, () => fates.next().value as Fate);
          const known: string[] = [];
          for (const round of rounds) {
            // Each in its own process, concurrently; some stop at an error, as a dying process does.
            await Promise.all(
              round.map((one) => attempt(openTracking(lossy, { clock }).experiments, known, one)),
            );
            const found = await steady.search.searchExperiments({ stage: 'all', limit: 100 });
            known.splice(0, known.length, ...found.items.map(({ experimentId }) => experimentId));
            const active = found.items.filter(({ lifecycleStage }) => lifecycleStage === 'active');
            const names = active.map((experiment) => experiment.name);
            expect(new Set(names).size).toBe(names.length);
            for (const experiment of active)
              expect((await steady.experiments.getByName(experiment.name)).experimentId).toBe(
                experiment.experimentId,
              );
          }
          // No interrupted operation blocks a name.
          for (const wanted of ['a', 'b']) {
            const holder = await steady.experiments.getByName(wanted).catch((): undefined => undefined);
            const create = steady.experiments.create({ name: wanted }, 'me');
            if (holder?.lifecycleStage === 'active') await expect(create).rejects.toThrow('already exists');
            else expect((await create).name).toBe(wanted);
          }
        },
      ),
      { numRuns: storeName === 'SQLite' ? 100 : 4 },
    );
  });

async function attempt(
  experiments: {
    create: (wanted: { name: string }, by: string) => Promise<Experiment>;
    rename: (id: string, name: string, by: string) => Promise<void>;
    delete: (id: string, by: string) => Promise<void>;
    restore: (id: string, by: string) => Promise<void>;
    setTag: (id: string, tag: { key: string; value: string }, by: string) => Promise<void>;
  },
  known: readonly string[],
  one: Command,
): Promise<void> {
  const id = 'which' in one ? (known[one.which % Math.max(1, known.length)] ?? '0') : '0';
  try {
    if (one.kind === 'create') await experiments.create({ name: one.name }, 'me');
    if (one.kind === 'rename') await experiments.rename(id, one.name, 'me');
    if (one.kind === 'delete') await experiments.delete(id, 'me');
    if (one.kind === 'restore') await experiments.restore(id, 'me');
    if (one.kind === 'tag') await experiments.setTag(id, { key: 'k', value: one.name }, 'me');
  } catch (error) {
    const expected = ['UNAVAILABLE', 'ALREADY_EXISTS', 'INVALID_ARGUMENT'] as const;
    if (!expected.some((code) => isAppError(error, code))) throw error;
  }
}
