import { beforeEach, describe, expect, test } from 'vitest';
import { metadataContainers } from '../../../shared/core/names/resources.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { DatasetInput } from '../../../shared/domains/tracking/entities.ts';
import type { Tracking } from '../../../shared/domains/tracking/tracking.ts';
import { metadataStores } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

function dataset(name: string, digest: string, context?: string): DatasetInput {
  const tags = context === undefined ? [] : [{ key: 'mlflow.data.context', value: context }];
  return { dataset: { name, digest, sourceType: 'local', source: 's' }, tags };
}

describe.each(metadataStores)('inputs and outputs of runs on $name', ({ open }) => {
  let store: MetadataStore;
  let tracking: Tracking;
  let experimentId: string;
  let runId: string;

  beforeEach(async () => {
    store = await open();
    tracking = openTracking(store);
    ({ experimentId } = await tracking.experiments.create({ name: 'links' }, 'ann'));
    ({ runId } = (await tracking.runs.create({ experimentId }, 'ann')).info);
  });

  const addInputs = (datasets: readonly DatasetInput[], models: readonly string[] = []) =>
    tracking.links.addInputs(runId, { datasets, models: models.map((modelId) => ({ modelId })) }, 'ann');

  test('stores a dataset once by name and digest, as first logged', async () => {
    await addInputs(
      [dataset('a', '1', 'training'), dataset('a', '1', 'test'), dataset('a', '2')],
      ['m-1', 'm-1'],
    );
    await addInputs([dataset('a', '1', 'evaluation'), dataset('__proto__', '1', 'test')], ['m-1', 'm-2']);
    const { links } = await tracking.runs.get(runId);
    expect(links.datasetInputs).toEqual([
      dataset('a', '1', 'training'),
      dataset('a', '2'),
      dataset('__proto__', '1', 'test'),
    ]);
    expect(links.modelInputs).toEqual([{ modelId: 'm-1' }, { modelId: 'm-2' }]);
  });

  test('finds runs by dataset, and datasets by experiment', async () => {
    await addInputs([dataset('a', '1', 'training'), dataset('b', '2')]);
    await addInputs([dataset('a', '1', 'too late')]);
    const find = async (filter: string) =>
      (await tracking.search.searchRuns([experimentId], { stage: 'active', filter, limit: 10 })).items.length;
    expect(await find("dataset.name = 'a' AND datasets.digest = '2' AND dataset.context = 'training'")).toBe(
      1,
    );
    expect(await find("dataset.name = 'c'")).toBe(0);
    expect(await find("dataset.context = 'too late'")).toBe(0);
    const listed = await tracking.links.listDatasets([experimentId, experimentId, '77']);
    expect([...listed].sort((x, y) => (x.name < y.name ? -1 : 1))).toEqual([
      { experimentId, name: 'a', digest: '1', context: 'training' },
      { experimentId, name: 'b', digest: '2' },
    ]);
  });

  test('stores an output once by model and step', async () => {
    const add = (modelId: string, step: number) =>
      tracking.links.addOutputs(runId, [{ modelId, step }], 'ann');
    await add('m-1', 1);
    await add('m-1', 2);
    await add('m-1', 1);
    expect((await tracking.runs.get(runId)).links.modelOutputs).toEqual([
      { modelId: 'm-1', step: 1 },
      { modelId: 'm-1', step: 2 },
    ]);
  });

  test('collects models of old clients in a tag', async () => {
    const add = (path: string) => tracking.links.addToModelHistory(runId, { artifact_path: path }, 'ann');
    for (const path of ['a', 'b', 'a']) await add(path);
    const tag = async () => (await tracking.runs.get(runId)).tags.get('mlflow.log-model.history');
    expect(JSON.parse((await tag())!)).toEqual([{ artifact_path: 'a' }, { artifact_path: 'b' }]);
    await tracking.runs.setTag(runId, { key: 'mlflow.log-model.history', value: 'mine' }, 'ann');
    await expect(add('c')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await tag()).toBe('mine');
  });

  test('writes one event for each change', async () => {
    for (let times = 0; times < 2; times += 1) {
      await addInputs([dataset('a', '1')]);
      await tracking.links.addOutputs(runId, [{ modelId: 'm', step: 0 }], 'ann');
    }
    const { documents } = await store.list<{ event: { action: string } }>({
      container: metadataContainers.tracking,
      partition: experimentId,
      filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'event' },
      limit: 100,
    });
    const actions = documents
      .map(({ body }) => body.event.action)
      .filter((action) => action.includes('puts'));
    expect(actions.sort()).toEqual(['run.inputs.added', 'run.outputs.added']);
  });

  test('adds nothing to a deleted or missing run', async () => {
    await expect(
      tracking.links.addOutputs('f'.repeat(32), [{ modelId: 'm', step: 0 }], 'ann'),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await tracking.runs.delete(runId, 'ann');
    await expect(addInputs([dataset('a', '1')])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await tracking.links.listDatasets([experimentId])).toEqual([]);
  });

  test('checks limits before it writes', async () => {
    const long = dataset('n'.repeat(501), '1');
    await expect(addInputs([dataset('a', '1'), long])).rejects.toMatchObject({
      details: { reason: 'textTooLong', place: { of: 'dataset', member: 'name' }, maxCharacters: 500 },
    });
    const heavy = (digest: string): DatasetInput => {
      const { dataset: ref, tags } = dataset('a', digest);
      return { dataset: { ...ref, schema: 'x'.repeat(1_000_000) }, tags };
    };
    await expect(addInputs([heavy('1'), heavy('2'), heavy('3')])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect((await tracking.runs.get(runId)).links.datasetInputs).toEqual([]);
    expect(await tracking.links.listDatasets([experimentId])).toEqual([]);
  });
});
