import { isAppError, toAppError } from '../../core/errors.ts';
import type { BlobLister, BlobProperties, BlobReader, BlobRef } from '../../platform/storage/blobs.ts';
import type { ModelFile, ModelSignature, ServingCheck } from './entities.ts';

/**
 * Opens a model file as serving does: reads it, loads it and runs it once.
 *
 * @throws what storage throws; a faulty model is a result
 */
export type InspectModel = (blob: BlobProperties) => Promise<InspectedModel>;

export interface InspectedModel {
  /** Empty when the file was not read completely. */
  readonly sha256: string;
  readonly serving: ServingCheck;
  readonly signature?: ModelSignature;
}

/** What a registration learns from the model file. */
export interface OpenedModel {
  readonly serving: ServingCheck;
  readonly file?: ModelFile;
  readonly signature?: ModelSignature;
}

const pageBlobs = 1_000;
/** Larger directories are not searched further. */
const maxPages = 5;

/**
 * Finds the ONNX file in an artifact folder and opens it. An outage does not prevent the registration: the version is
 * `notChecked` then.
 */
export async function openModel(
  blobs: Pick<BlobReader, 'head'> & BlobLister,
  inspect: InspectModel,
  folder: BlobRef,
): Promise<OpenedModel> {
  try {
    const files = await findModelFiles(blobs, folder);
    const [file] = files;
    if (file === undefined) return notChecked('Its source contains no ONNX file.');
    if (files.length > 1) return notChecked('Its source contains several ONNX files, but no "model.onnx".');
    const { sha256, serving, signature } = await inspect(file);
    return {
      serving,
      ...(sha256 === '' ? {} : { file: { ...file.ref, sha256, sizeBytes: file.sizeBytes } }),
      ...(signature === undefined ? {} : { signature }),
    };
  } catch (error) {
    // The container does not exist yet.
    if (isAppError(error, 'NOT_FOUND')) return notChecked('Its source contains no ONNX file.');
    return notChecked(`It could not be read: ${toAppError(error).message}`);
  }
}

export function notChecked(reason: string): OpenedModel & { readonly serving: ServingCheck } {
  return { serving: { status: 'notChecked', reason } };
}

async function findModelFiles(
  blobs: Pick<BlobReader, 'head'> & BlobLister,
  folder: BlobRef,
): Promise<readonly BlobProperties[]> {
  if (folder.name.endsWith('.onnx')) {
    const file = await blobs.head(folder);
    if (file) return [file];
  }
  const found: BlobProperties[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < maxPages; pages += 1) {
    const page = await blobs.list(folder.container, {
      prefix: `${folder.name}/`,
      limit: pageBlobs,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const blob of page.blobs) {
      // The name that clients write: it wins over other files.
      if (blob.ref.name === `${folder.name}/model.onnx`) return [blob];
      if (blob.ref.name.endsWith('.onnx')) found.push(blob);
    }
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  return found;
}
