import { AppError, isAppError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/ids.ts';
import type { JsonValue } from '../../../core/json/json.ts';
import type { BlobReader, BlobRef, BlobWriter, OpenedBlob } from '../../../platform/storage/blobs.ts';
import { putOnce } from '../../../platform/storage/put-once.ts';
import { modelFolder } from '../../registry/trained-version.ts';
import type { TrainingSpec } from '../../training/entities.ts';

/**
 * Stores the spec of a training beside its model, under its hash: a thousand features are too large for a run's history.
 *
 * @returns its blob
 */
export async function putTrainingSpec(
  blobs: BlobWriter,
  model: string,
  spec: TrainingSpec,
): Promise<BlobRef> {
  const text = JSON.stringify(spec);
  const { container, name } = modelFolder(model);
  const ref = { container, name: `${name}/${sha256(text)}.training.json` };
  await putOnce(blobs, ref, text, 'application/json');
  return ref;
}

/** @throws UNPROCESSABLE when the blob is missing */
export async function readTrainingSpec(blobs: BlobReader, ref: BlobRef): Promise<JsonValue> {
  let opened: OpenedBlob;
  try {
    opened = await blobs.open(ref);
  } catch (error) {
    if (!isAppError(error, 'NOT_FOUND')) throw error;
    const place = `${ref.container}/${ref.name}`;
    throw new AppError('UNPROCESSABLE', `The training spec ${place} is missing. Train again.`, {}, error);
  }
  const chunks = await Array.fromAsync(opened.body);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonValue;
}
