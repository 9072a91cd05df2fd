import { z } from 'zod';
import { throwIfCancelled } from '../../../core/async/cancelled.ts';
import { putOnce } from '../../../platform/storage/put-once.ts';
import { datasetName } from '../../../core/names/dataset-name.ts';
import { modelName } from '../../registry/entities.ts';
import { modelBlob } from '../../registry/trained-version.ts';
import { defineStep } from './services.ts';
import { tasks } from '../../serving/tasks/catalog.ts';
import { putTrainingSpec } from './training-spec.ts';
import { findTrainer, trainingSchema } from '../../training/catalog.ts';
import { describeProgress } from '../../training/describe-progress.ts';

export const trainedSchema = z.object({
  model: modelName,
  sha256: z.string(),
  sizeBytes: z.int(),
  /** Measured on the holdout rows; a metric that these rows do not have is left out. */
  metrics: z.record(z.string(), z.number()),
  dataset: z.object({ name: datasetName, version: z.int(), sha256: z.string() }),
  /** The blob of the resolved training spec. */
  spec: z.object({ container: z.string(), name: z.string() }),
});

/** Equal data, spec and code give equal bytes, stored under their hash: a repetition changes nothing. */
export const trainModel = defineStep({
  description: 'Trains a model on a dataset version and stores it as ONNX.',
  params: z.strictObject({
    dataset: datasetName,
    /** The newest when left out. */
    version: z.int().min(0).optional(),
    model: modelName,
    training: trainingSchema,
  }),
  input: {},
  output: trainedSchema,
  narrowOutput: ({ training }) =>
    trainedSchema.extend({ metrics: z.strictObject(metricsOf(training.trainer.name)).partial() }),
  async run({ params }, { services, codeVersion, signal, report }) {
    const { datasets, training, platform } = services;
    const wanted = params.version === undefined ? 'latest' : String(params.version);
    const version = await datasets.versions.resolve(params.dataset, wanted);
    const rows = version.files.reduce((total, file) => total + file.rows, 0);
    report(0, `reading ${params.dataset} version ${version.version} (${rows} rows)`);
    await using lease = await datasets.files.open(version.files, { signal });
    const dataset = { name: params.dataset, version: version.version, sha256: version.sha256 };
    const trained = await training.train({
      paths: lease.paths,
      spec: params.training,
      lineage: { dataset, codeVersion },
      signal,
      onProgress: (progress) => report(...describeProgress(progress)),
    });
    throwIfCancelled(signal, 'The training');
    const target = modelBlob(params.model, trained.sha256);
    await putOnce(platform.blobs, target, trained.onnx, 'application/octet-stream');
    throwIfCancelled(signal, 'The training');
    const spec = await putTrainingSpec(platform.blobs, params.model, params.training);
    return {
      model: params.model,
      sha256: trained.sha256,
      sizeBytes: trained.onnx.length,
      metrics: Object.fromEntries(
        Object.entries(trained.report.metrics).filter(([, value]) => Number.isFinite(value)),
      ),
      dataset,
      spec,
    };
  },
});

/** What a training with that trainer measures: the metrics of its task. */
function metricsOf(trainer: string): Record<string, z.ZodNumber> {
  const names = tasks[findTrainer(trainer).task].metrics;
  return Object.fromEntries(names.map((name) => [name, z.number()]));
}

/** The schema with the metrics that are known of the model it reads. */
export function keepMetrics<Shape extends z.core.$ZodLooseShape>(
  schema: z.ZodObject<Shape>,
  read: z.ZodType | undefined,
): z.ZodType {
  const metrics = read instanceof z.ZodObject ? read.shape['metrics'] : undefined;
  return metrics === undefined ? schema : z.object({ ...schema.shape, metrics });
}
