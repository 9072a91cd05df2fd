import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AppError } from '../../shared/core/errors.ts';
import { systemIds } from '../../shared/core/ids.ts';
import type { BlobRemover } from '../../shared/platform/storage/blobs.ts';
import { type Fate, makeFlaky } from '../support/documents/flaky-documents.ts';
import { dayMs, graceMs, openRetention } from '../support/tracking/retention.ts';
import { createDocuments } from '../support/stores.ts';

/** Indexes are modulo the number of objects. */
const step = fc.oneof(
  fc.record({ do: fc.constant('createExperiment' as const) }),
  fc.record({
    do: fc.constant('createRun' as const),
    experiment: fc.nat(5),
    parent: fc.option(fc.nat(9)),
    // Older versions gave runs ids that need a pointer.
    hasPointer: fc.boolean(),
  }),
  fc.record({ do: fc.constant('createModel' as const), experiment: fc.nat(5), run: fc.option(fc.nat(9)) }),
  fc.record({ do: fc.constantFrom('useModel' as const, 'useFiles' as const), run: fc.nat(9), of: fc.nat(9) }),
  fc.record({ do: fc.constant('register' as const), of: fc.nat(19), how: fc.constantFrom('link', 'place') }),
  fc.record({ do: fc.constant('unregister' as const), of: fc.nat(9) }),
  fc.record({ do: fc.constantFrom('delete' as const, 'restore' as const), of: fc.nat(19) }),
  fc.record({
    do: fc.constantFrom('deleteExperiment' as const, 'restoreExperiment' as const),
    of: fc.nat(5),
  }),
  fc.record({ do: fc.constant('stray' as const), experiment: fc.nat(5) }),
  fc.record({ do: fc.constant('pass' as const), days: fc.constantFrom(1, 20, 31) }),
  fc.record({ do: fc.constant('collect' as const), failAt: fc.option(fc.nat(60)), after: fc.boolean() }),
);

/** The model: the objects and their references. */
interface Thing {
  readonly kind: 'run' | 'model';
  readonly id: string;
  readonly experiment: Experiment;
  /** For a run its parent; for a model the run that created it. */
  readonly origin: Thing | undefined;
  readonly uses: Set<Thing>;
  deletedAt?: number;
}
interface Experiment {
  readonly id: string;
  deletedAt?: number;
}

async function play(
  steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
): Promise<void> {
  const fault = { countdown: -1, after: false };
  const nextFate = (): Fate => {
    fault.countdown -= 1;
    return fault.countdown === -1 ? (fault.after ? 'after' : 'before') : 'ok';
  };
  const store = createDocuments();
  const world = openRetention(store, {
    store: makeFlaky(store, nextFate),
    blobs: (blobs) => makeBlobsFlaky(blobs, nextFate),
  });
  const { tracking, registry, retention, clock, written } = world;
  await tracking.experiments.ensureDefault();
  const experiments: Experiment[] = [{ id: '0' }];
  let created = 0;
  let things: Thing[] = [];
  const versions: { number: number; of: Thing }[] = [];
  const strays = new Map<string, number>();
  const pick = <T>(all: readonly T[], index: number) => all[index % all.length];
  const isLive = (thing: Thing) => thing.deletedAt === undefined && thing.experiment.deletedAt === undefined;
  const place = ({ kind, id, experiment }: Thing) =>
    kind === 'run' ? `${experiment.id}/${id}/artifacts` : `${experiment.id}/models/${id}/artifacts`;

  for (const action of steps)
    switch (action.do) {
      case 'createExperiment': {
        // Not the number of existing objects, which falls with each purge, so that names would repeat.
        created += 1;
        const { experimentId } = await tracking.experiments.create({ name: `e${created}` }, 'me');
        experiments.push({ id: experimentId });
        break;
      }
      case 'createRun': {
        const experiment = pick(
          experiments.filter((one) => one.deletedAt === undefined),
          action.experiment,
        );
        if (!experiment) break;
        const runs = things.filter(({ kind }) => kind === 'run');
        const origin = action.parent === null ? undefined : pick(runs, action.parent);
        const tags = origin ? [{ key: 'mlflow.parentRunId', value: origin.id }] : [];
        const id = action.hasPointer ? { runId: systemIds.uuid().replaceAll('-', '') } : {};
        const { info } = await tracking.runs.create({ ...id, experimentId: experiment.id, tags }, 'me');
        things.push({ kind: 'run', id: info.runId, experiment, origin, uses: new Set() });
        await world.put(`${place(things.at(-1)!)}/file.bin`);
        const metrics = Array.from({ length: 600 }, (_, i) => ({
          key: 'm',
          value: i,
          step: i,
          timestamp: i,
        }));
        await tracking.runs.logBatch(info.runId, { metrics, params: [], tags: [] }, 'me');
        break;
      }
      case 'createModel': {
        const experiment = pick(
          experiments.filter((one) => one.deletedAt === undefined),
          action.experiment,
        );
        if (!experiment) break;
        const runs = things.filter(({ kind }) => kind === 'run');
        const origin = action.run === null ? undefined : pick(runs, action.run);
        const wanted = { experimentId: experiment.id, ...(origin ? { sourceRunId: origin.id } : {}) };
        const { modelId: id } = await tracking.loggedModels.create(wanted, 'me');
        things.push({ kind: 'model', id, experiment, origin, uses: new Set() });
        await world.put(`${place(things.at(-1)!)}/MLmodel`);
        break;
      }
      case 'useModel':
      case 'useFiles': {
        const run = pick(
          things.filter((thing) => thing.kind === 'run' && isLive(thing)),
          action.run,
        );
        const used = pick(
          things.filter(({ kind }) => (kind === 'model') === (action.do === 'useModel')),
          action.of,
        );
        if (!run || !used || run === used) break;
        const source = JSON.stringify({ uri: `runs:/${used.id}/data.csv` });
        const dataset = { name: used.id, digest: 'd', sourceType: 'http', source };
        const inputs =
          action.do === 'useModel'
            ? { datasets: [], models: [{ modelId: used.id }] }
            : { datasets: [{ dataset, tags: [] }], models: [] };
        await tracking.links.addInputs(run.id, inputs, 'me');
        run.uses.add(used);
        break;
      }
      case 'register': {
        const of = pick(things, action.of);
        if (!of) break;
        const link = of.kind === 'run' ? { runId: of.id } : { modelId: of.id };
        const number =
          action.how === 'link'
            ? await world.register('s3://elsewhere/model', link)
            : await world.register(`mlflow-artifacts:/${place(of)}/sub`);
        versions.push({ number, of });
        break;
      }
      case 'unregister': {
        const [gone] = versions.splice(action.of % (versions.length || 1), 1);
        if (gone) await registry.stages.remove('m', gone.number, 'me');
        break;
      }
      case 'delete':
      case 'restore': {
        const thing = pick(
          things.filter((one) => action.do === 'delete' || one.kind === 'run'),
          action.of,
        );
        if (!thing) break;
        const isRestore = action.do === 'restore';
        if (thing.kind === 'model') await tracking.loggedModels.delete(thing.id, 'me');
        else if (isRestore) await tracking.runs.restore(thing.id, 'me');
        else await tracking.runs.delete(thing.id, 'me');
        if (isRestore) delete thing.deletedAt;
        else thing.deletedAt ??= clock.now();
        break;
      }
      case 'deleteExperiment':
      case 'restoreExperiment': {
        const experiment = pick(experiments, action.of)!;
        const isRestore = action.do === 'restoreExperiment';
        if (isRestore) await tracking.experiments.restore(experiment.id, 'me');
        else await tracking.experiments.delete(experiment.id, 'me');
        if (isRestore) delete experiment.deletedAt;
        else experiment.deletedAt ??= clock.now();
        break;
      }
      case 'stray': {
        const path = `${pick(experiments, action.experiment)!.id}/stray-${strays.size}/file`;
        await world.put(path);
        strays.set(path, clock.now());
        break;
      }
      case 'pass':
        world.pass(action.days * dayMs);
        break;
      case 'collect': {
        const before = clock.now();
        fault.after = action.after;
        if (action.failAt !== null) {
          fault.countdown = action.failAt;
          await retention.collect({ by: 'test', deadline: Infinity }).catch((error: unknown) => {
            if (!(error instanceof AppError)) throw error;
          });
          fault.countdown = -1;
          world.pass(16 * 60_000);
        }
        // The second pass starts where the first ended, and finds experiments that became empty.
        for (let times = 0; times < 3; times += 1)
          expect(await world.collect()).toMatchObject({ isDone: true });
        expect(clock.now() - before).toBeLessThan(dayMs / 2);
        const cutoff = before - graceMs;
        const isNeeded = (thing: Thing) =>
          versions.some(({ of }) => of === thing) ||
          things.some(
            (other) =>
              other !== thing &&
              isLive(other) &&
              (other.uses.has(thing) || (other.origin === thing && thing.kind === 'run')),
          );
        const isDue = (thing: Thing) =>
          thing.deletedAt === undefined
            ? thing.experiment.deletedAt !== undefined && thing.experiment.deletedAt <= cutoff
            : thing.deletedAt <= cutoff;
        const gone = new Set(things.filter((thing) => isDue(thing) && !isNeeded(thing)));
        things = things.filter((thing) => !gone.has(thing));
        for (let i = experiments.length - 1; i > 0; i -= 1) {
          const { deletedAt } = experiments[i]!;
          if (
            deletedAt !== undefined &&
            deletedAt <= cutoff &&
            !things.some((thing) => thing.experiment === experiments[i])
          )
            experiments.splice(i, 1);
        }
        for (const [path, at] of strays) if (at <= cutoff) strays.delete(path);

        const files = [
          ...things.map((thing) => `${place(thing)}/${thing.kind === 'run' ? 'file.bin' : 'MLmodel'}`),
          ...strays.keys(),
        ];
        expect([...written.keys()].sort()).toEqual(files.sort());
        for (const { kind, id } of things) {
          if (kind === 'run')
            expect((await tracking.runs.getHistory(id, 'm', { limit: 1_000 })).points).toHaveLength(600);
          else expect((await tracking.loggedModels.get(id, { withDeleted: true })).modelId).toBe(id);
        }
        expect(await listStored(store)).toEqual(
          [
            ...experiments.map(({ id }) => `experiment ${id}`),
            ...things.map(({ kind, id }) => `${kind} ${id}`),
          ].sort(),
        );
        const purged = await Promise.all(
          [...gone].map(async ({ kind, id, experiment }) => {
            const key = { container: 'index', partition: `${kind}-${id}`, id: `${kind}-${id}` };
            expect(await store.get(key)).toBeUndefined();
            expect((await store.list({ container: 'tracking', partition: id, limit: 1 })).documents).toEqual(
              [],
            );
            const { documents } = await store.list({
              container: 'tracking',
              partition: experiment.id,
              filter: {
                op: 'and',
                filters: [
                  { op: 'in', path: ['event', 'action'], values: ['run.purged', 'loggedModel.purged'] },
                  {
                    op: 'compare',
                    test: 'eq',
                    path: ['event', 'subject', kind === 'run' ? 'runId' : 'modelId'],
                    value: id,
                  },
                ],
              },
              limit: 10,
            });
            return documents.length;
          }),
        );
        expect(purged.every((count) => count === 1)).toBe(true);
      }
    }
}

/** Every run, logged model, experiment and unfinished removal in the store. */
async function listStored(store: ReturnType<typeof createDocuments>): Promise<string[]> {
  const found: string[] = [];
  const kinds = [
    ['run', 'runId', 'run'],
    ['loggedModel', 'modelId', 'model'],
    ['experiment', 'experimentId', 'experiment'],
    ['removal', 'by', 'removal'],
  ] as const;
  for (const [member, id, name] of kinds) {
    const filter = { op: 'exists', path: [member, id] } as const;
    const { documents } = await store.list({ container: 'tracking', filter, limit: 1_000 });
    found.push(
      ...documents
        .filter((one) => one.body['kind'] !== 'event')
        .map(({ body }) => `${name} ${String((body[member] as Record<string, unknown>)[id])}`),
    );
  }
  return found.sort();
}

function makeBlobsFlaky<Blobs extends BlobRemover>(blobs: Blobs, nextFate: () => Fate): Blobs {
  const remove: BlobRemover['delete'] = async (ref, options) => {
    const fate = nextFate();
    if (fate === 'before') throw new AppError('UNAVAILABLE', 'The connection was lost.');
    const deleted = await blobs.delete(ref, options);
    if (fate === 'after') throw new AppError('UNAVAILABLE', 'The connection was lost.');
    return deleted;
  };
  return { ...blobs, delete: remove };
}

it('purges everything that is due and unneeded, and nothing else', async () => {
  const runs = Number(process.env['RETENTION_RUNS'] ?? 150);
  const steps = fc.array(step, { minLength: 5, maxLength: 40 });
  // Everything deleted is due at the end, and its removal is interrupted somewhere.
  const breakOff = fc.record({
    do: fc.constant('collect' as const),
    failAt: fc.nat(60),
    after: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(steps, breakOff, async (all, last) => play([...all, { do: 'pass', days: 31 }, last])),
    { numRuns: runs },
  );
});
