import { sha256 } from '../../core/ids.ts';
import { blobContainers } from '../../core/names/resources.ts';
import type { BlobRef } from '../../platform/storage/blobs.ts';
import type { ModelVersion } from './entities.ts';
import type { NewVersion } from './versions.ts';

/** A model that a pipeline run trained, to be registered. */
export interface TrainedVersion extends Pick<ModelVersion, 'model' | 'metrics'> {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly lineage: ModelVersion['lineage'] & { readonly runId: string };
  /** URI of the directory that clients load it from; default: the place of its bytes. */
  readonly source?: string;
  readonly signature?: ModelVersion['signature'];
  readonly serving?: ModelVersion['serving'];
}

export function toNewVersion(trained: TrainedVersion): NewVersion {
  const { model, metrics, lineage, signature } = trained;
  const ref = modelBlob(model, trained.sha256);
  const source = trained.source ?? `${ref.container}/${ref.name}`;
  return {
    model,
    description: '',
    tags: {},
    source,
    storageLocation: source,
    createdBy: `run ${lineage.runId}`,
    file: { ...ref, sha256: trained.sha256, sizeBytes: trained.sizeBytes },
    metrics,
    params: {},
    lineage,
    serving: trained.serving ?? { status: 'notChecked', reason: 'It has not been opened yet.' },
    ...(signature === undefined ? {} : { signature }),
    ...(lineage.trackingRunId === undefined ? {} : { runId: lineage.trackingRunId }),
  };
}

/** Where training stores a model's bytes, by hash. */
export function modelBlob(model: string, hash: string): BlobRef {
  const { container, name } = modelFolder(model);
  return { container, name: `${name}/${hash}.onnx` };
}

/** The folder of what training stores for a model. Model names that blob names cannot contain are hashed. */
export function modelFolder(model: string): BlobRef {
  const name = /^[a-z][a-z0-9_-]{0,62}$/.test(model) ? model : `=${sha256(model).slice(0, 40)}`;
  return { container: blobContainers.models, name };
}
