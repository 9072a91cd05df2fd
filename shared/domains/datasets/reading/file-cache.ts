import { cancelled } from '../../../core/async/cancelled.ts';
import { raceAbort } from '../../../core/async/race-abort.ts';
import { Semaphore } from '../../../core/async/semaphore.ts';
import { AppError, isAppError } from '../../../core/errors.ts';
import { Lru } from '../../../core/lru.ts';
import { blobContainers } from '../../../core/names/resources.ts';
import type { ScratchFile, ScratchFiles } from '../../../platform/storage/scratch.ts';
import type { DataFile } from '../tables/data-file.ts';

/** Local copies of the immutable data files of datasets. */
export interface FileCache {
  /**
   * Downloads files that are not local yet, and holds all of them until the lease is disposed of. Concurrent callers
   * share downloads. Files that nobody holds are evicted, least recently used first, when room is needed.
   *
   * Hold a lease only while reading, and open files that are read together with one call: leases opened one after the
   * other can exceed the room.
   *
   * @throws NOT_FOUND (a file is gone), UNPROCESSABLE (stored bytes differ from those of the version),
   *   PAYLOAD_TOO_LARGE (the files exceed the room), RATE_LIMITED (files in use leave too little room),
   *   INSUFFICIENT_STORAGE (full disk), CANCELLED
   */
  open(files: readonly DataFile[], options?: { readonly signal?: AbortSignal }): Promise<FileLease>;
}

export interface FileLease extends AsyncDisposable {
  /** Paths of local Parquet files, in the order of the opened files. Read-only. */
  readonly paths: readonly string[];
}

export interface FileCacheDeps {
  readonly scratch: ScratchFiles;
  /** Whether a local file still exists: operating systems clean up temporary folders. */
  readonly exists: (path: string) => Promise<boolean>;
}

export interface FileCacheOptions {
  /** The room for unused files. Files in use may take four times as much. */
  readonly limitBytes: number;
}

const maxDownloads = 8;
const hardCapFactor = 4;

/** One local file, or its download. */
interface Entry {
  readonly key: string;
  readonly sizeBytes: number;
  readonly download: Promise<ScratchFile>;
  readonly abort: AbortController;
  holders: number;
  isComplete: boolean;
}

/** Starts empty, and knows its own files only: files of other processes are neither trusted nor deleted. */
export function createFileCache(
  { scratch, exists }: FileCacheDeps,
  { limitBytes }: FileCacheOptions,
): FileCache {
  const entries = new Lru<string, Entry>({ maxCost: limitBytes, isPinned: ({ holders }) => holders > 0 });
  const downloads = new Semaphore(maxDownloads);

  async function hold(file: DataFile): Promise<Entry> {
    const known = entries.get(keyOf(file));
    if (known) {
      known.holders += 1;
      if (!known.isComplete || (await exists((await known.download).path))) return known;
      if (isCurrent(known)) entries.delete(known.key);
      await release(known);
      return await hold(file);
    }
    const abort = new AbortController();
    const entry: Entry = {
      key: keyOf(file),
      sizeBytes: file.sizeBytes,
      download: download(file, abort.signal),
      abort,
      holders: 1,
      isComplete: false,
    };
    const evicted = entries.set(entry.key, entry, entry.sizeBytes);
    entry.download.then(
      () => (entry.isComplete = true),
      // Those who wait for it get the error; the next caller downloads again.
      () => isCurrent(entry) && entries.delete(entry.key),
    );
    await removeAll(evicted);
    return entry;
  }

  async function release(entry: Entry): Promise<void> {
    entry.holders -= 1;
    if (entry.holders > 0) return;
    if (entry.isComplete && isCurrent(entry)) {
      entries.get(entry.key);
      await removeAll(entries.makeRoom());
      return;
    }
    if (isCurrent(entry)) entries.delete(entry.key);
    entry.abort.abort();
    await remove(entry);
  }

  /** Whether it is still the file of its key, and not one that was replaced. */
  function isCurrent(entry: Entry): boolean {
    return entries.peek(entry.key) === entry;
  }

  async function download(file: DataFile, signal: AbortSignal): Promise<ScratchFile> {
    using _permit = await downloads.acquire(signal);
    try {
      return await fetchFile(scratch, file, signal);
    } catch (error) {
      if (!isAppError(error, 'INSUFFICIENT_STORAGE')) throw error;
      await removeAll(entries.makeRoom(Infinity));
      return await fetchFile(scratch, file, signal);
    }
  }

  function checkRoom(wanted: ReadonlyMap<string, DataFile>): void {
    const hardCapBytes = limitBytes * hardCapFactor;
    const wantedBytes = sum([...wanted.values()]);
    const limits = { wantedBytes, limitBytes: hardCapBytes };
    if (wantedBytes > hardCapBytes) {
      const message = `These data files have ${wantedBytes} bytes, over the limit of ${hardCapBytes} for files in use: four times the setting SLIPWAY_DATA_CACHE_BYTES.`;
      throw new AppError('PAYLOAD_TOO_LARGE', message, limits);
    }
    const inUse = [...entries.entries()]
      .map(([, entry]) => entry)
      .filter((entry) => entry.holders > 0 && !wanted.has(entry.key));
    if (sum(inUse) + wantedBytes <= hardCapBytes) return;
    const message = `Data files of ${sum(inUse)} bytes are in use, and ${wantedBytes} more bytes exceed the limit of ${hardCapBytes}: try again in a moment, or raise the setting SLIPWAY_DATA_CACHE_BYTES.`;
    throw new AppError('RATE_LIMITED', message, { ...limits, retryAfterMs: 2_000 });
  }

  return {
    async open(files, { signal } = {}) {
      if (signal?.aborted) throw stopped();
      const wanted = new Map(files.map((file) => [keyOf(file), file]));
      checkRoom(wanted);
      const missing = [...wanted].filter(([key]) => !entries.peek(key)).map(([, file]) => file);
      // Known files are held before any are evicted for the others.
      const known = [...wanted.values()].filter((file) => entries.peek(keyOf(file))).map(hold);
      const held = new Map<string, Entry>();
      const releaseAll = async () => {
        const all = [...held.values()];
        held.clear();
        await Promise.all(all.map(release));
      };
      try {
        for (const entry of await Promise.all(known)) held.set(entry.key, entry);
        await removeAll(entries.makeRoom(sum(missing)));
        for (const file of missing) held.set(keyOf(file), await hold(file));
        const local = await raceAbort(
          signal,
          () =>
            Promise.all([...held.values()].map(async (entry) => [entry.key, await entry.download] as const)),
          stopped,
        );
        const paths = new Map(local.map(([key, { path }]) => [key, path]));
        return {
          paths: files.map((file) => paths.get(keyOf(file)) ?? ''),
          [Symbol.asyncDispose]: releaseAll,
        };
      } catch (error) {
        await releaseAll();
        throw error;
      }
    },
  };
}

/** @throws UNPROCESSABLE when the stored bytes differ from those of the version */
async function fetchFile(
  scratch: FileCacheDeps['scratch'],
  file: DataFile,
  signal: AbortSignal,
): Promise<ScratchFile> {
  const ref = { container: blobContainers.datasets, name: file.path };
  const copy = await scratch
    .download(ref, { maxBytes: file.sizeBytes, signal })
    .catch((error: unknown): never => {
      throw isAppError(error, 'PAYLOAD_TOO_LARGE') ? changed(file, error) : error;
    });
  if (copy.sizeBytes === file.sizeBytes && (file.sha256 === undefined || copy.sha256 === file.sha256))
    return copy;
  await copy[Symbol.asyncDispose]();
  throw changed(file);
}

function changed({ path, sha256, sizeBytes }: DataFile, cause?: unknown): AppError {
  const message = `The stored bytes of ${path} differ from those of the version: another program wrote to the container, or the blob is damaged.`;
  return new AppError('UNPROCESSABLE', message, { path, sha256, sizeBytes }, cause);
}

function removeAll(entries: readonly Entry[]): Promise<unknown> {
  return Promise.all(entries.map(remove));
}

async function remove(entry: Entry): Promise<void> {
  const [result] = await Promise.allSettled([entry.download]);
  if (result.status === 'fulfilled') await result.value[Symbol.asyncDispose]();
}

function stopped(): AppError {
  return cancelled('Reading the dataset');
}

function keyOf(file: DataFile): string {
  return file.sha256 ?? file.path;
}

function sum(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
