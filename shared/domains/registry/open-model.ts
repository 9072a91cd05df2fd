import { isAppError, toAppError } from '../../core/errors.ts';
import type { BlobProperties, BlobRef, BlobStore } from '../../platform/storage/blobs.ts';
import type { ModelFile, ModelSignature, Serving } from './entities.ts';

/**
 * Opens a model file as serving would: reads it, loads it, runs it once.
 *
 * @throws whatever storage throws; never for what is wrong with the model
 */
export type InspectModel = (blob: BlobProperties) => Promise<InspectedModel>;

export interface InspectedModel {
  /** Empty when the file was not read to its end. */
  readonly sha256: string;
  readonly serving: Serving;
  readonly signature?: ModelSignature;
}

/** What a version gets from its source when it is registered. */
export interface OpenedModel {
  readonly serving: Serving;
  readonly file?: ModelFile;
  readonly signature?: ModelSignature;
}

const pageBlobs = 1_000;
/** A directory with more files is no model's. */
const maxPages = 5;

/**
 * Finds the ONNX file in an artifact folder and opens it. An outage does not keep a version from being registered: it
 * then says that it was not checked, and why.
 */
export async function openModel(
  blobs: BlobStore,
  inspect: InspectModel,
  folder: BlobRef,
): Promise<OpenedModel> {
  try {
    const files = await findModelFiles(blobs, folder);
    const [file] = files;
    if (file === undefined) return notChecked('Its source holds no ONNX file.');
    if (files.length > 1) return notChecked('Its source holds several ONNX files, and none is "model.onnx".');
    const { sha256, serving, signature } = await inspect(file);
    return {
      serving,
      ...(sha256 === '' ? {} : { file: { ...file.ref, sha256, sizeBytes: file.sizeBytes } }),
      ...(signature === undefined ? {} : { signature }),
    };
  } catch (error) {
    // A container that is not there yet holds nothing.
    if (isAppError(error, 'NOT_FOUND')) return notChecked('Its source holds no ONNX file.');
    return notChecked(`It could not be read just then: ${toAppError(error).message}`);
  }
}

export function notChecked(reason: string): OpenedModel & { readonly serving: Serving } {
  return { serving: { status: 'notChecked', reason } };
}

async function findModelFiles(blobs: BlobStore, folder: BlobRef): Promise<readonly BlobProperties[]> {
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
      // What MLflow writes, wherever else there are others.
      if (blob.ref.name === `${folder.name}/model.onnx`) return [blob];
      if (blob.ref.name.endsWith('.onnx')) found.push(blob);
    }
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  return found;
}
