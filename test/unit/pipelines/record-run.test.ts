import { expect, test } from 'vitest';
import { AuditedWriter } from '../../../shared/platform/audit/audited-writer.ts';
import { Outbox } from '../../../shared/platform/audit/outbox.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { recordRun } from '../../../shared/domains/pipelines/steps/record-run.ts';
import type { StepServices } from '../../../shared/domains/pipelines/steps/services.ts';
import { putTrainingSpec } from '../../../shared/domains/pipelines/steps/training-spec.ts';
import { parseTrainingSpec } from '../../../shared/domains/training/catalog.ts';
import { createTracking } from '../../../shared/domains/tracking/tracking.ts';
import { createMemoryBlobs } from '../../support/blobs/memory-blobs.ts';
import { createDocuments, system } from '../../support/stores.ts';

test('records a training as one run, however often its step is repeated', async () => {
  const store = createDocuments();
  const queue = { send: async () => {} };
  const outbox = new Outbox({ store, queue, clock: system.clock, logger: silentLogger });
  const audited = new AuditedWriter({ store, outbox, ...system });
  const tracking = createTracking({ store, audited, ...system, runSilenceMinutes: 60 });
  const blobs = createMemoryBlobs({});
  const services = { tracking, platform: { clock: system.clock, blobs } } as unknown as StepServices;
  const training = {
    features: [{ column: 'distance', kind: 'numeric' }],
    label: { column: 'delay', op: '>=', value: 15 },
    trainer: { name: 'logistic' },
  };
  const hash = 'ab'.repeat(32);
  const spec = await putTrainingSpec(blobs, 'late flights', parseTrainingSpec(training));
  const record = () =>
    recordRun.run(
      {
        params: {},
        input: {
          trained: {
            model: 'late flights',
            sha256: hash,
            sizeBytes: 10,
            metrics: { aucScore: 0.75, baseRate: 0.2 },
            dataset: { name: 'flights', version: 3, sha256: hash },
            spec,
          },
        },
      },
      {
        runId: 'late-flights-v3',
        step: 'record',
        codeVersion: '1.0.0+abc',
        services,
        logger: silentLogger,
        signal: new AbortController().signal,
        report: () => {},
      },
    );
  const [first, second] = await Promise.all([record(), record()]);
  expect(second).toEqual(first);
  expect(await record()).toEqual(first);

  const { trackingRunId } = first as { readonly trackingRunId: string };
  const run = await tracking.runs.get(trackingRunId);
  expect(run.info).toMatchObject({ name: 'late-flights-v3', status: 'FINISHED' });
  expect(run.params.get('training.label.value')).toBe('15');
  expect(run.params.get('training.seed')).toBe('0');
  expect(run.metrics.get('aucScore')?.value).toBe(0.75);
  expect(run.links.datasetInputs).toHaveLength(1);
  expect((await tracking.runs.getHistory(trackingRunId, 'aucScore', { limit: 10 })).points).toHaveLength(1);
  const experiment = await tracking.experiments.getByName('late flights');
  expect(experiment.experimentId).toBe(run.info.experimentId);
});
