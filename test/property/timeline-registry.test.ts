import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timeline } from '../../shared/platform/audit/timeline.ts';
import { isAppError } from '../../shared/core/errors.ts';
import { sha256 } from '../../shared/core/ids.ts';
import type { Registry } from '../../shared/domains/registry/registry.ts';
import { createRegistry, registerTrained } from '../support/tracking/registry.ts';
import { createDocuments, system } from '../support/stores.ts';

const version = fc.integer({ min: 1, max: 4 });
const name = fc.constantFrom('one', 'two');
const alias = fc.constantFrom('production', 'champion', 'toString');
/** An action of a user on one of two models, through one instance of the platform. */
const step = fc.record({
  name,
  machine: fc.nat(1),
  afterMs: fc.nat(3),
  act: fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('register' as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('point' as const), alias, version }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), alias }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('stage' as const),
        version,
        stage: fc.constantFrom('None', 'Staging', 'Production'),
        archiveOthers: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), version }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const) }) },
  ),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

test('the timeline reproduces the registry’s state after each change', async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      round += 1;
      const store = createDocuments();
      let now = 1_000_000;
      // One machine's clock is slow.
      const machines = [0, -40].map((offset) => {
        const clock = { ...system.clock, now: () => now + offset };
        return createRegistry(store, { clock });
      });
      const timeline = new Timeline(store);
      const suffix = `-${round}`;
      const names = ['one', 'two', 'three'].map((base) => `${base}${suffix}`);
      const past: { readonly name: string; readonly at: number; readonly expected: unknown }[] = [];
      for (const [index, taken] of steps.entries()) {
        now += taken.afterMs;
        await act(
          machines[taken.machine]!,
          `${taken.name}${suffix}`,
          taken.act,
          `${round}-${index}`,
          `three${suffix}`,
        );
        for (const model of names) {
          const expected = await describe(machines[0]!, model);
          // Whatever the machines' clocks show, this is the current state: the last event decides.
          expect(flatten(await timeline.at(model, now + 1_000_000))).toEqual(expected);
          // It also holds from the last event until the next.
          const events = await lastEventAt(store, model);
          if (events !== undefined) past.push({ name: model, at: events, expected });
        }
      }
      // Only the last state within a millisecond counts.
      const truth = new Map(past.map((moment) => [`${moment.name} ${moment.at}`, moment]));
      for (const { name: model, at, expected } of truth.values())
        expect(flatten(await timeline.at(model, at)), `${model} at ${at}`).toEqual(expected);
    }),
    { numRuns: 25 },
  );
});

async function act(
  registry: Registry,
  model: string,
  taken: Step['act'],
  run: string,
  free: string,
): Promise<void> {
  try {
    switch (taken.do) {
      case 'register':
        await registerTrained(registry, {
          model,
          sha256: sha256(run),
          sizeBytes: 1,
          metrics: {},
          lineage: {
            runId: run,
            codeVersion: 'test',
            dataset: { name: 'd', version: 0, sha256: sha256('d') },
            training: {},
          },
        });
        return;
      case 'point':
        await registry.aliases.move(model, taken.alias, taken.version, 'ada');
        return;
      case 'drop':
        return await registry.aliases.remove(model, taken.alias, 'ada');
      case 'stage':
        await registry.stages.transition(
          model,
          taken.version,
          taken.stage,
          taken.archiveOthers && taken.stage !== 'None',
          'ada',
        );
        return;
      case 'remove':
        return await registry.stages.remove(model, taken.version, 'ada');
      case 'delete':
        return await registry.models.remove(model, 'ada');
      case 'rename':
        await registry.models.rename(model, free, 'ada');
    }
  } catch (error) {
    // A missing model cannot be changed.
    if (!isAppError(error, 'NOT_FOUND') && !isAppError(error, 'ALREADY_EXISTS')) throw error;
  }
}

/** The registry's own answer. */
async function describe(registry: Registry, model: string) {
  const { items } = await registry.versions.list(model, { limit: 100 });
  const aliases = await registry.aliases.list(model).catch((error: unknown) => {
    if (isAppError(error, 'NOT_FOUND')) return [];
    throw error;
  });
  return {
    aliases: aliases.map((one) => [one.alias, one.version]).sort(byText),
    stages: items
      .filter(({ stage }) => stage !== 'None')
      .map((one) => [one.stage, one.version])
      .sort(byText),
  };
}

const byText = (a: readonly unknown[], b: readonly unknown[]) =>
  JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;

function flatten({ aliases, stages }: Awaited<ReturnType<Timeline['at']>>) {
  return {
    aliases: [...aliases].map(([key, serving]) => [key, serving.version]).sort(byText),
    stages: [...stages]
      .flatMap(([stage, all]) => all.map((serving) => [stage, serving.version]))
      .sort(byText),
  };
}

async function lastEventAt(
  store: ReturnType<typeof createDocuments>,
  model: string,
): Promise<number | undefined> {
  const { documents } = await store.list<{ event: { at: number } }>({
    container: 'registry',
    partition: model,
    filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'event' },
    sort: { path: ['event', 'eventId'], direction: 'desc' },
    limit: 1,
  });
  return documents[0]?.body.event.at;
}
