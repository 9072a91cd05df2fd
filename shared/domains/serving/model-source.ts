import { AppError } from '../../core/errors.ts';
import { sha256 } from '../../core/ids.ts';
import type { BlobReader } from '../../platform/storage/blobs.ts';
import type { ModelFile, ModelVersion } from '../registry/entities.ts';
import type { ModelSource } from './scorer.ts';

export type ModelBlobs = BlobReader;

const maxModelBytes = 512 * 2 ** 20;

/**
 * Where the bytes of a version are; they are checked against its hash when they are loaded.
 *
 * @throws AppError UNPROCESSABLE for a version without a model file. Loading throws UNPROCESSABLE when the bytes have
 *   changed, are gone or are too many, and what storage throws.
 */
export function findModelSource(blobs: ModelBlobs, version: ModelVersion): ModelSource {
  const { file } = version;
  if (file === undefined) throw unservable(version);
  return { sha256: file.sha256, load: () => loadModel(blobs, version, file) };
}

async function loadModel(blobs: ModelBlobs, version: ModelVersion, file: ModelFile): Promise<Uint8Array> {
  if (file.sizeBytes > maxModelBytes)
    throw new AppError('UNPROCESSABLE', `A model over ${maxModelBytes} bytes cannot be served in real time.`);
  // Before the download, so that it reads no more than was registered.
  const stored = await blobs.head(file);
  if (stored?.sizeBytes !== file.sizeBytes) throw lost(version, stored ? 'changed' : 'are gone');
  const { body } = await blobs.open(file, { ifMatch: stored.etag });
  const bytes = Buffer.concat(await Array.fromAsync(body));
  if (sha256(bytes) !== file.sha256) throw lost(version, 'changed');
  return bytes;
}

function unservable({ model, version, serving }: ModelVersion): AppError {
  const why = serving.status === 'ready' ? 'it has no model file' : serving.reason;
  return new AppError('UNPROCESSABLE', `${model} version ${version} cannot be served: ${why}`, {
    model,
    version,
  });
}

/** Not NOT_FOUND: the model exists, and the caller did nothing wrong. */
function lost({ model, version, sha256: expected }: ModelVersion, how: string): AppError {
  return new AppError('UNPROCESSABLE', `The stored bytes of ${model} version ${version} ${how}.`, {
    expected,
  });
}
