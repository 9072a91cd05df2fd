import { z } from 'zod';
import { datasetName } from '../../datasets/entities.ts';
import { dataBlob } from '../../datasets/ingestion.ts';
import { modelName } from '../../registry/entities.ts';
import { modelBlob } from '../../registry/registry.ts';
import { trainingParam } from './training-param.ts';
import { AppError } from '../../core/errors.ts';
import { putOnce } from '../../storage/put-once.ts';
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
    const { datasets, scratch, blobs, limits } = services;
    const wanted = params.version ?? (await datasets.getDataset(params.dataset)).latestVersion;
    const version = await datasets.getVersion(params.dataset, wanted);
    report(0, `reading ${params.dataset} version ${version.version} (${version.rows} rows)`);
    await using file = await scratch.download(dataBlob(params.dataset, version.sha256), {
      maxBytes: limits.datasetFileBytes,
      signal,
    });
    if (file.sha256 !== version.sha256) {
      const name = `${params.dataset} version ${version.version}`;
      throw new AppError('UNPROCESSABLE', `The stored bytes of ${name} are not those that became it.`, {
        expected: version.sha256,
        found: file.sha256,
      });
    }
    const dataset = { name: params.dataset, version: version.version, sha256: version.sha256 };
    const trained = await services.trainModel({
      path: file.path,
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
