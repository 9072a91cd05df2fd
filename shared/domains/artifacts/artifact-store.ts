import { AppError } from '../../core/errors.ts';
import { blobErrors } from '../../platform/storage/blob-errors.ts';
import { blobContainers } from '../../core/names/resources.ts';
import type {
  BlobFolders,
  BlobLister,
  BlobProperties,
  BlobReader,
  BlobRef,
  BlobRemover,
  BlobWriter,
  OpenOptions,
  OpenedBlob,
} from '../../platform/storage/blobs.ts';
import { guessContentType } from './content-type.ts';
import { artifactErrors } from './errors.ts';
import { releaseBuffers } from './release-memory.ts';

type ArtifactBlobs = BlobReader & BlobWriter & BlobRemover & BlobLister & BlobFolders;

/** An entry of a folder. */
export type ArtifactEntry =
  | { readonly kind: 'file'; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: 'folder'; readonly name: string };

export interface ArtifactMeasure {
  readonly files: number;
  readonly sizeBytes: number;
  /** When the newest file was written, in milliseconds since the Unix epoch; 0 without files. */
  readonly newestAt: number;
  /** Whether files were left uncounted. */
  readonly isPartial: boolean;
}

export interface ArtifactPage {
  /** Sorted by name within the page; pages are in order, too. */
  readonly entries: readonly ArtifactEntry[];
  readonly cursor?: string;
}

/** Larger folders must be read page by page: a listing is never silently truncated. */
const maxEntriesAtOnce = 100_000;
const maxPageSize = 5_000;
const deletePageSize = 1_000;
const deletesAtOnce = 16;

/**
 * Stores the files of runs and logged models by path. Paths come from `readFilePath` and `readFolderPath`. Folders
 * exist while they contain something.
 */
export class ArtifactStore {
  readonly #blobs: ArtifactBlobs;

  constructor(blobs: ArtifactBlobs) {
    this.#blobs = blobs;
  }

  /**
   * Writes a file atomically: an interrupted upload leaves the previous file, and the last of concurrent uploads wins.
   *
   * @param sizeBytes the announced size; a body of another size is refused
   * @throws CANCELLED when the body breaks off or is shorter; INSUFFICIENT_STORAGE; UNAVAILABLE
   */
  async upload(path: string, body: AsyncIterable<Uint8Array>, sizeBytes?: number): Promise<BlobProperties> {
    const whole = sizeBytes === undefined ? body : checkSize(body, sizeBytes);
    return this.#blobs.put(toRef(path), releaseBuffers(whole), { contentType: guessContentType(path) });
  }

  /** @returns undefined for a missing file */
  async find(path: string): Promise<BlobProperties | undefined> {
    return this.#blobs.head(toRef(path));
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT when it is a folder, or for a range past the end */
  async open(path: string, options?: OpenOptions): Promise<OpenedBlob> {
    try {
      const { properties, body } = await this.#blobs.open(toRef(path), options);
      return { properties, body: releaseBuffers(body) };
    } catch (error) {
      if (blobErrors.blobMissing.is(error)) throw await this.explainMissing(path);
      throw error;
    }
  }

  /** The error for a missing file. */
  async explainMissing(path: string): Promise<AppError> {
    const { entries } = await this.list(path, { limit: 1 });
    return entries.length > 0 ? artifactErrors.isFolder({ path }) : artifactErrors.artifactMissing({ path });
  }

  /** Lists one page of a folder; empty for a missing folder, and for a file. */
  async list(
    folder: string,
    { cursor, limit }: { readonly cursor?: string; readonly limit: number },
  ): Promise<ArtifactPage> {
    const prefix = toPrefix(folder);
    const page = await this.#blobs.listFolder(blobContainers.artifacts, {
      prefix,
      limit: Math.min(limit, maxPageSize),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const entries: ArtifactEntry[] = [
      ...page.blobs.map((blob) => ({
        kind: 'file' as const,
        name: blob.ref.name.slice(prefix.length),
        sizeBytes: blob.sizeBytes,
      })),
      ...page.folders.map((name) => ({ kind: 'folder' as const, name: name.slice(prefix.length, -1) })),
    ];
    entries.sort(compareNames);
    return page.cursor === undefined ? { entries } : { entries, cursor: page.cursor };
  }

  /** Lists a whole folder. @throws INVALID_ARGUMENT for more than 100,000 entries */
  async listWhole(folder: string): Promise<readonly ArtifactEntry[]> {
    const entries: ArtifactEntry[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.list(folder, {
        limit: maxPageSize,
        ...(cursor === undefined ? {} : { cursor }),
      });
      entries.push(...page.entries);
      if (entries.length > maxEntriesAtOnce)
        throw artifactErrors.folderTooLarge({ folder, limit: maxEntriesAtOnce });
      ({ cursor } = page);
    } while (cursor !== undefined);
    return entries.sort(compareNames);
  }

  /** Measures a file, or a folder with everything in it; counts up to `maxFiles`. */
  async measure(path: string, maxFiles: number): Promise<ArtifactMeasure> {
    const own = await this.find(path);
    let measure = addTo(
      { files: 0, sizeBytes: 0, newestAt: 0, isPartial: false },
      own === undefined ? [] : [own],
    );
    let cursor: string | undefined;
    do {
      const page = await this.#blobs.list(blobContainers.artifacts, {
        prefix: toPrefix(path),
        limit: Math.min(maxPageSize, maxFiles),
        ...(cursor === undefined ? {} : { cursor }),
      });
      measure = addTo(measure, page.blobs);
      ({ cursor } = page);
    } while (cursor !== undefined && measure.files < maxFiles);
    return { ...measure, isPartial: cursor !== undefined };
  }

  /**
   * Deletes a file, or a folder with everything in it. Idempotent; the signal stops it, and a repeated call continues.
   *
   * @throws INVALID_ARGUMENT for the root
   */
  async remove(path: string, signal?: AbortSignal): Promise<void> {
    if (path === '') throw artifactErrors.removesEverything();
    await this.#blobs.delete(toRef(path));
    // Deleting a page makes the next one the first.
    for (;;) {
      const { blobs, cursor } = await this.#blobs.list(blobContainers.artifacts, {
        prefix: toPrefix(path),
        limit: deletePageSize,
      });
      await this.#deleteAll(blobs, signal);
      if (blobs.length === 0 && cursor === undefined) return;
    }
  }

  async #deleteAll(blobs: readonly BlobProperties[], signal: AbortSignal | undefined): Promise<void> {
    const progress = { next: 0, hasFailed: false };
    const worker = async (): Promise<void> => {
      try {
        while (!progress.hasFailed && progress.next < blobs.length) {
          signal?.throwIfAborted();
          await this.#blobs.delete(blobs[progress.next++]!.ref);
        }
      } catch (error) {
        progress.hasFailed = true;
        throw error;
      }
    };
    await Promise.all(Array.from({ length: deletesAtOnce }, worker));
  }
}

/** The blob of an artifact. */
export function toRef(path: string): BlobRef {
  return { container: blobContainers.artifacts, name: path };
}

function toPrefix(folder: string): string {
  return folder === '' ? '' : `${folder}/`;
}

function addTo(measure: ArtifactMeasure, blobs: readonly BlobProperties[]): ArtifactMeasure {
  let { files, sizeBytes, newestAt } = measure;
  for (const blob of blobs) {
    files += 1;
    sizeBytes += blob.sizeBytes;
    newestAt = Math.max(newestAt, blob.lastModified);
  }
  return { ...measure, files, sizeBytes, newestAt };
}

function compareNames(a: ArtifactEntry, b: ArtifactEntry): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

async function* checkSize(body: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let got = 0;
  for await (const chunk of body) {
    got += chunk.length;
    yield chunk;
  }
  if (got === sizeBytes) return;
  throw new AppError('CANCELLED', `The request broke off: ${got} of ${sizeBytes} bytes arrived.`);
}
