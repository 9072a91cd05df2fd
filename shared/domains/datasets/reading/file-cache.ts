import { AppError, isAppError } from '../../../core/errors.ts';
import { Semaphore } from '../../../core/async/semaphore.ts';
import { blobContainers } from '../../../core/names.ts';
import type { Scratch, ScratchFile } from '../../../platform/storage/scratch.ts';
import type { DataFile } from '../tables/data-file.ts';

/** The immutable data files of datasets, on this machine. */
export interface FileCache {
  /**
   * Brings files here that are not yet, and holds all of them until the lease is disposed. Files are downloaded once,
   * also when many ask at the same time; what nobody holds is dropped, longest unused first, when room is needed.
   *
   * Hold a lease no longer than it is read from, and take what is read together with one call: leases taken one
   * after the other can exceed the room.
   *
   * @throws NOT_FOUND (a file is gone), UNPROCESSABLE (stored bytes are not those that became the version),
   *   PAYLOAD_TOO_LARGE (these files do not fit at all), RATE_LIMITED (what others hold leaves no room),
   *   INSUFFICIENT_STORAGE (full disk), CANCELLED
   */
  open(files: readonly DataFile[], options?: { readonly signal?: AbortSignal }): Promise<FileLease>;
}

export interface FileLease extends AsyncDisposable {
  /** Of local Parquet files, in the order of the files asked for; not to be written to. */
  readonly paths: readonly string[];
}

export interface FileCacheOptions {
  readonly scratch: Scratch;
  /** Whether a local file is still there: systems clean their temporary folders up. */
  readonly exists: (path: string) => Promise<boolean>;
  /** What unused files may take, together. Files in use may take up to four times as much. */
  readonly limitBytes: number;
}

const maxDownloads = 8;
const hardCapFactor = 4;

/** One copy of a file; it may still be under way. */
interface Entry {
  readonly key: string;
  readonly sizeBytes: number;
  readonly download: Promise<ScratchFile>;
  readonly abort: AbortController;
  holders: number;
  isWhole: boolean;
}

/**
 * It starts empty, and its files are known to its own process only: nothing that another process, or an earlier life
 * of this one, left behind is trusted or deleted.
 */
export function createFileCache({ scratch, exists, limitBytes }: FileCacheOptions): FileCache {
  /** Longest unused first. */
  const entries = new Map<string, Entry>();
  const turns = new Semaphore(maxDownloads);

  async function hold(file: DataFile): Promise<Entry> {
    const known = entries.get(keyOf(file));
    if (known) {
      known.holders += 1;
      if (!known.isWhole || (await exists((await known.download).path))) return known;
      if (entries.get(known.key) === known) entries.delete(known.key);
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
      isWhole: false,
    };
    entries.set(entry.key, entry);
    entry.download.then(
      () => (entry.isWhole = true),
      // Told to those who wait for it; the next who asks tries again.
      () => entries.get(entry.key) === entry && entries.delete(entry.key),
    );
    return entry;
  }

  async function release(entry: Entry): Promise<void> {
    entry.holders -= 1;
    if (entry.holders > 0) return;
    const isCurrent = entries.get(entry.key) === entry;
    if (!entry.isWhole || !isCurrent) {
      if (isCurrent) entries.delete(entry.key);
      entry.abort.abort();
      await remove(entry);
      return;
    }
    // Behind all others: it was used just now.
    entries.delete(entry.key);
    entries.set(entry.key, entry);
    await makeRoom(0);
  }

  async function download(file: DataFile, signal: AbortSignal): Promise<ScratchFile> {
    using _turn = await turns.acquire(signal);
    try {
      return await fetchFile(scratch, file, signal);
    } catch (error) {
      if (!isAppError(error, 'INSUFFICIENT_STORAGE')) throw error;
      await makeRoom(Infinity);
      return await fetchFile(scratch, file, signal);
    }
  }

  /** Drops what nobody holds until so many more bytes fit. */
  async function makeRoom(neededBytes: number): Promise<void> {
    let usedBytes = sum([...entries.values()]);
    const dropped: Entry[] = [];
    for (const entry of entries.values()) {
      if (usedBytes + neededBytes <= limitBytes) break;
      if (entry.holders > 0) continue;
      entries.delete(entry.key);
      dropped.push(entry);
      usedBytes -= entry.sizeBytes;
    }
    await Promise.all(dropped.map(remove));
  }

  function checkRoom(wanted: ReadonlyMap<string, DataFile>): void {
    const hardCapBytes = limitBytes * hardCapFactor;
    const wantedBytes = sum([...wanted.values()]);
    const limits = { wantedBytes, limitBytes: hardCapBytes };
    if (wantedBytes > hardCapBytes) {
      const message = `These data files have ${wantedBytes} bytes, more than the ${hardCapBytes} that can be here at once: four times the setting SLIPWAY_DATA_CACHE_BYTES.`;
      throw new AppError('PAYLOAD_TOO_LARGE', message, limits);
    }
    const held = [...entries.values()].filter((entry) => entry.holders > 0 && !wanted.has(entry.key));
    if (sum(held) + wantedBytes <= hardCapBytes) return;
    const message = `Data files of ${sum(held)} bytes are being read, and ${wantedBytes} more do not fit beside them: try again in a moment, or raise the setting SLIPWAY_DATA_CACHE_BYTES.`;
    throw new AppError('RATE_LIMITED', message, { ...limits, retryAfterMs: 2_000 });
  }

  return {
    async open(files, { signal } = {}) {
      throwIfAborted(signal);
      const wanted = new Map(files.map((file) => [keyOf(file), file]));
      checkRoom(wanted);
      const missing = [...wanted].filter(([key]) => !entries.has(key)).map(([, file]) => file);
      // Held before anything is dropped for the others.
      const known = [...wanted.values()].filter((file) => entries.has(keyOf(file))).map(hold);
      const held = new Map<string, Entry>();
      const releaseAll = async () => {
        const all = [...held.values()];
        held.clear();
        await Promise.all(all.map(release));
      };
      try {
        for (const entry of await Promise.all(known)) held.set(entry.key, entry);
        await makeRoom(sum(missing));
        for (const file of missing) held.set(keyOf(file), await hold(file));
        const downloads = [...held.values()].map(
          async ({ key, download: file }) => [key, (await file).path] as const,
        );
        const paths = new Map(await orAbort(Promise.all(downloads), signal));
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

/** @throws UNPROCESSABLE for other bytes than the version was made of */
async function fetchFile(scratch: Scratch, file: DataFile, signal: AbortSignal): Promise<ScratchFile> {
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
  const message = `The stored bytes of ${path} are not those that became the version: something else wrote to the container, or the blob is damaged.`;
  return new AppError('UNPROCESSABLE', message, { path, sha256, sizeBytes }, cause);
}

async function remove(entry: Entry): Promise<void> {
  const [result] = await Promise.allSettled([entry.download]);
  if (result.status === 'fulfilled') await result.value[Symbol.asyncDispose]();
}

async function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(cancelled());
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled();
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'Reading the dataset was cancelled.');
}

function keyOf(file: DataFile): string {
  return file.sha256 ?? file.path;
}

function sum(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
