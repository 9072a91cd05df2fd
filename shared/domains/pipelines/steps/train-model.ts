import { z } from 'zod';
import { datasetName } from '../../datasets/entities.ts';
import { modelName } from '../../registry/entities.ts';
import { modelBlob } from '../../registry/trained-version.ts';
import { trainingParam } from './training-param.ts';
import { putOnce } from '../../../platform/storage/put-once.ts';
import { defineStep } from './services.ts';

export const trainedSchema = z.object({
  model: modelName,
  sha256: z.string(),
  sizeBytes: z.int(),
  metrics: z.record(z.string(), z.number()),
  dataset: z.object({ name: datasetName, version: z.int(), sha256: z.string() }),
});
export type Trained = z.infer<typeof trainedSchema>;

/** Equal data, spec and code give equal bytes, stored under their hash: a repetition changes nothing. */
export const trainModel = defineStep({
  description: 'Trains a model on a dataset version and stores it as ONNX.',
  params: z.object({
    dataset: datasetName,
    version: z.int().min(0).optional(),
    model: modelName,
    training: trainingParam,
  }),
  needs: z.object({}),
  async run({ params }, { services, codeVersion, signal, report }): Promise<Trained> {
    const { versions, files, blobs } = services;
    const wanted = params.version === undefined ? 'latest' : String(params.version);
    const version = await versions.resolve(params.dataset, wanted);
    const rows = version.files.reduce((total, file) => total + file.rows, 0);
    report(0, `reading ${params.dataset} version ${version.version} (${rows} rows)`);
    await using lease = await files.open(version.files, { signal });
    const dataset = { name: params.dataset, version: version.version, sha256: version.sha256 };
    const trained = await services.trainModel({
      paths: lease.paths,
      spec: params.training,
      lineage: { dataset, codeVersion },
      signal,
      report,
    });
    const target = modelBlob(params.model, trained.sha256);
    await putOnce(blobs, target, trained.onnx, 'application/octet-stream');
    return {
      model: params.model,
      sha256: trained.sha256,
      sizeBytes: trained.onnx.length,
      metrics: trained.metrics,
      dataset,
    };
  },
});
