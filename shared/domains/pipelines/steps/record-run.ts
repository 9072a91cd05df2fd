import { z } from 'zod';
import { throwIfCancelled } from '../../../core/async/cancelled.ts';
import { mlflowTags } from '../../../core/names/mlflow-names.ts';
import { isAppError } from '../../../core/errors.ts';
import { isArray, type JsonValue } from '../../../core/json/json.ts';
import type { Experiment, Tag } from '../../tracking/entities.ts';
import { runIdOfName } from '../../tracking/run-id.ts';
import { idempotencyKeyOf } from '../step.ts';
import { defineStep, type StepServices } from './services.ts';
import { keepMetrics, trainedSchema } from './train-model.ts';
import { readTrainingSpec } from './training-spec.ts';

/** The model as trained, and the run that records it. */
export const recordedSchema = trainedSchema.extend({ trackingRunId: z.string() });

const by = 'platform';

/**
 * A training of the platform is a run beside those of notebooks, in the experiment that has the model's name. Its id
 * follows from the step of the pipeline run, so that a repetition finds everything done.
 */
export const recordRun = defineStep({
  description: 'Records the training as a run: its params, metrics and the dataset version that it read.',
  params: z.strictObject({}),
  input: { trained: trainedSchema },
  output: recordedSchema,
  narrowOutput: (_, { trained }) => keepMetrics(recordedSchema, trained),
  async run({ input: { trained } }, context) {
    const { services, runId, step, codeVersion, signal } = context;
    const { runs, links } = services.tracking;
    const { metrics, dataset } = trained;
    const training = await readTrainingSpec(services.platform.blobs, trained.spec);
    const { experimentId } = await findExperiment(services, trained.model, signal);
    const { info } = await runs.create(
      {
        runId: runIdOfName(`pipeline step ${idempotencyKeyOf(context)}`),
        experimentId,
        name: runId,
        userId: by,
        tags: [
          { key: mlflowTags.user, value: by },
          { key: mlflowTags.sourceType, value: 'JOB' },
          { key: mlflowTags.sourceName, value: `pipeline run ${runId}` },
          { key: 'slipway.pipelineRun', value: runId },
          { key: 'slipway.pipelineStep', value: step },
          { key: 'slipway.codeVersion', value: codeVersion },
        ],
      },
      by,
    );
    const trackingRunId = info.runId;
    const { name, version, sha256: hash } = dataset;
    await links.addInputs(
      trackingRunId,
      {
        datasets: [
          {
            dataset: {
              name,
              // MLflow's digests have room for 36 characters.
              digest: hash.slice(0, 36),
              sourceType: 'slipway',
              source: JSON.stringify({ dataset: name, version, sha256: hash }),
            },
            tags: [{ key: mlflowTags.dataContext, value: 'training' }],
          },
        ],
        models: [],
      },
      by,
    );
    const points = Object.entries(metrics).map(([key, value]) => ({
      key,
      value,
      timestamp: info.startTime,
      step: 0,
    }));
    await runs.logBatch(
      trackingRunId,
      { params: flatten('training', training), metrics: points, tags: [] },
      by,
    );
    if (info.status !== 'FINISHED')
      await runs.update(trackingRunId, { status: 'FINISHED', endTime: services.platform.clock.now() }, by);
    return { ...trained, trackingRunId };
  },
});

/** Finds the active experiment of that name, or creates it. @throws CANCELLED before it writes */
async function findExperiment(
  { tracking }: StepServices,
  name: string,
  signal: AbortSignal,
): Promise<Experiment> {
  const known = await tracking.experiments.getByName(name).catch((error: unknown) => {
    if (isAppError(error, 'NOT_FOUND')) return undefined;
    throw error;
  });
  // From here on the step completes: half a recording would be a run that never ends.
  throwIfCancelled(signal, 'The recording');
  if (known?.lifecycleStage === 'active') return known;
  try {
    return await tracking.experiments.create({ name }, by);
  } catch (error) {
    // Another run was faster.
    if (isAppError(error, 'ALREADY_EXISTS')) return tracking.experiments.getByName(name);
    throw error;
  }
}

/**
 * One param for each leaf; a list is one, as JSON.
 *
 * @example
 * flatten('training', { seed: 0, trainer: { name: 'logistic' } }) // [{ key: 'training.seed', value: '0' }, { key: 'training.trainer.name', value: 'logistic' }]
 */
export function flatten(path: string, value: JsonValue): readonly Tag[] {
  if (value !== null && typeof value === 'object' && !isArray(value))
    return Object.entries(value).flatMap(([name, member]) => flatten(`${path}.${name}`, member));
  return [{ key: path, value: typeof value === 'string' ? value : JSON.stringify(value) }];
}
