import { expect, test } from 'vitest';
import { systemClock } from '../../../shared/core/clock.ts';
import { sha256 } from '../../../shared/core/ids.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { createFileCache } from '../../../shared/domains/datasets/reading/file-cache.ts';
import { steps } from '../../../shared/domains/pipelines/catalog.ts';
import type { StepServices } from '../../../shared/domains/pipelines/steps/services.ts';
import { createRegistry, registerTrained } from '../../support/tracking/registry.ts';
import type { Scorer } from '../../../shared/domains/serving/scorer.ts';
import { Scoring } from '../../../shared/domains/serving/scoring.ts';
import type { BlobReader } from '../../../shared/platform/storage/blobs.ts';
import { createDocuments } from '../../support/stores.ts';

const bytes = Buffer.from('the model');

test.each([
  ['gone', undefined, /are gone/],
  ['longer than what was registered', Buffer.from('the model and more'), /changed/],
  ['others of the same length', Buffer.from('THE MODEL'), /changed/],
])('a model whose stored bytes are %s is not served, and not reported as missing', async (_, stored, why) => {
  const registry = createRegistry(createDocuments());
  const dataset = { name: 'd', version: 0, sha256: '' };
  const lineage = { runId: 'r', codeVersion: 'test', dataset, training: null };
  await registerTrained(registry, {
    model: 'm',
    sha256: sha256(bytes),
    sizeBytes: bytes.length,
    metrics: {},
    lineage,
  });
  const blobs: BlobReader = {
    head: async (ref) => stored && propertiesOf(ref, stored),
    open: async (ref) => ({ properties: propertiesOf(ref, stored ?? bytes), body: once(stored ?? bytes) }),
  };
  const scorer: Scorer = {
    open: async (model) => {
      await model.load();
      throw new Error('these bytes must not be loaded');
    },
    close: async () => {},
  };
  const scoring = new Scoring(
    { registry, blobs, scorer, clock: systemClock, logger: silentLogger },
    { maxRows: 10, maxElements: 10 },
  );
  const answer = scoring.score({ model: 'm', version: 1 }, { rows: [{}] });
  await expect(answer).rejects.toMatchObject({
    code: 'UNPROCESSABLE',
    message: expect.stringMatching(why) as string,
  });
});

test('refuses to train on a dataset version whose stored bytes changed', async () => {
  const wanted = { path: 'd/a.parquet', sha256: sha256('the data'), sizeBytes: 1, rows: 1 };
  const found = {
    path: '/nowhere',
    sha256: sha256('other data'),
    sizeBytes: 1,
    [Symbol.asyncDispose]: async () => {},
  };
  const services = {
    datasets: {
      versions: { resolve: async () => ({ version: 0, sha256: '', columns: [], files: [wanted] }) },
      files: createFileCache(
        { scratch: { download: async () => found }, exists: async () => true },
        { limitBytes: 100 },
      ),
    },
    training: { train: () => Promise.reject(new Error('trained on them')) },
  } as unknown as StepServices;
  const training = {
    features: [{ column: 'a', kind: 'numeric' }],
    label: { column: 'b', op: '>', value: 0 },
    trainer: { name: 'logistic' },
  };
  const trainModel = steps['train-model'];
  const outcome = trainModel.run(
    { params: trainModel.params.parse({ dataset: 'd', version: 0, model: 'm', training }), input: {} },
    {
      runId: 'r',
      step: 's',
      codeVersion: 'test',
      services,
      logger: silentLogger,
      signal: new AbortController().signal,
      report: () => {},
    },
  );
  await expect(outcome).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
});

function propertiesOf(ref: { readonly container: string; readonly name: string }, content: Uint8Array) {
  return { ref, etag: '"1"', sizeBytes: content.length, contentType: '', metadata: {}, lastModified: 0 };
}

async function* once(content: Uint8Array) {
  yield content;
}
