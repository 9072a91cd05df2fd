import { blobErrors } from '../../../platform/storage/blob-errors.ts';
import { isAppError } from '../../../core/errors.ts';
import type {
  BlobLister,
  BlobProperties,
  BlobReader,
  BlobRef,
  OpenOptions,
  OpenedBlob,
} from '../../../platform/storage/blobs.ts';
import type { CommitInfo, LogCommit } from './actions.ts';
import { parseAction, parseEntry } from './log-entry.ts';

/** A commit in the log. */
export interface StoredCommit extends LogCommit {
  /** Of its blob. Distinguishes the commit from that of another table in the same place. */
  readonly etag: string;
}

export interface StoredInfo {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly etag: string;
  readonly info?: CommitInfo;
}

export interface LogListing {
  /** Versions with a commit, ascending. */
  readonly commits: readonly number[];
  /** Versions with a single-file checkpoint, ascending. */
  readonly checkpoints: readonly number[];
}

/** Enough for any `commitInfo`. */
const infoBytes = 65_536;

/** The blobs of one `_delta_log` folder. */
export class LogFiles {
  readonly #blobs: BlobReader & BlobLister;
  readonly #container: string;
  readonly #folder: string;

  constructor(blobs: BlobReader & BlobLister, container: string, prefix: string) {
    this.#blobs = blobs;
    this.#container = container;
    this.#folder = `${prefix}/_delta_log/`;
  }

  commitBlob(version: number): BlobRef {
    return this.#ref(`${pad(version)}.json`);
  }

  checkpointBlob(version: number): BlobRef {
    return this.#ref(`${pad(version)}.checkpoint.parquet`);
  }

  get lastCheckpointBlob(): BlobRef {
    return this.#ref('_last_checkpoint');
  }

  /** @returns undefined when it does not exist. @throws UNPROCESSABLE naming the invalid line */
  async readCommit(version: number): Promise<StoredCommit | undefined> {
    const ref = this.commitBlob(version);
    const opened = await openIfThere(this.#blobs, ref);
    if (opened === undefined) return undefined;
    const actions = await Array.fromAsync(parseEntry(opened.body, ref.name));
    const info = actions.find((action) => action.kind === 'commitInfo')?.info;
    const { etag } = opened.properties;
    return { version, timestamp: timestampOf(info, opened.properties), etag, actions };
  }

  /** The provenance of a commit. Reads only the start of the entry if possible. @returns undefined when it does not exist */
  async readInfo(version: number): Promise<StoredInfo | undefined> {
    const ref = this.commitBlob(version);
    const opened = await openIfThere(this.#blobs, ref, { range: { offset: 0, count: infoBytes } });
    if (opened === undefined) return undefined;
    const text = (await readBytes(opened)).toString('utf8');
    const end = text.indexOf('\n');
    const first = end === -1 ? undefined : parseAction(text.slice(0, end));
    if (first?.kind === 'commitInfo') return toStoredInfo(version, first.info, opened.properties);
    const commit = await this.readCommit(version);
    const info = commit?.actions.find((action) => action.kind === 'commitInfo')?.info;
    return toStoredInfo(version, info, opened.properties);
  }

  /** @returns undefined when it does not exist */
  async findCommitEtag(version: number): Promise<string | undefined> {
    return (await this.#blobs.head(this.commitBlob(version)))?.etag;
  }

  /** @returns undefined when it does not exist */
  async readCheckpoint(
    version: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly lastModified: number } | undefined> {
    const opened = await openIfThere(this.#blobs, this.checkpointBlob(version));
    return opened && { bytes: await readBytes(opened), lastModified: opened.properties.lastModified };
  }

  /** @returns undefined when it is missing or invalid, or points to a multi-part checkpoint */
  async readLastCheckpoint(): Promise<{ readonly version: number; readonly etag: string } | undefined> {
    const opened = await openIfThere(this.#blobs, this.lastCheckpointBlob);
    if (opened === undefined) return undefined;
    const pointer = parsePointer((await readBytes(opened)).toString('utf8'));
    return pointer && { ...pointer, etag: opened.properties.etag };
  }

  /**
   * Lists the log: all versions, or those that differ from one in the last digits only.
   *
   * @param near a version, and the number of digits that may differ: 2 lists the hundred around it
   */
  async list(near?: { readonly version: number; readonly digits: number }): Promise<LogListing> {
    const start = near === undefined ? '' : pad(near.version).slice(0, -near.digits);
    const commits: number[] = [];
    const checkpoints: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#blobs.list(this.#container, {
        prefix: this.#folder + start,
        limit: 5_000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const { ref } of page.blobs) {
        const name = ref.name.slice(this.#folder.length);
        const [, digits, kind] = /^(\d{20})\.(json|checkpoint\.parquet)$/.exec(name) ?? [];
        if (kind !== undefined) (kind === 'json' ? commits : checkpoints).push(Number(digits));
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return { commits, checkpoints };
  }

  #ref(name: string): BlobRef {
    return { container: this.#container, name: this.#folder + name };
  }
}

function pad(version: number): string {
  return String(version).padStart(20, '0');
}

function toStoredInfo(version: number, info: CommitInfo | undefined, properties: BlobProperties): StoredInfo {
  const timestamp = timestampOf(info, properties);
  return { version, timestamp, etag: properties.etag, ...(info === undefined ? {} : { info }) };
}

/** Blob storage has seconds; our commits have milliseconds, and ascend. */
function timestampOf(info: CommitInfo | undefined, { lastModified }: BlobProperties): number {
  return typeof info?.timestamp === 'number' ? info.timestamp : lastModified;
}

function parsePointer(text: string): { readonly version: number } | undefined {
  try {
    const pointer = JSON.parse(text) as { version?: unknown; parts?: unknown } | null;
    const { version, parts } = pointer ?? {};
    const isWhole = typeof version === 'number' && Number.isSafeInteger(version) && version >= 0;
    return isWhole && (parts === undefined || parts === null || parts === 1) ? { version } : undefined;
  } catch {
    // An invalid hint is ignored: the log holds everything.
    return undefined;
  }
}

async function readBytes({ body }: OpenedBlob): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

/** @throws NOT_FOUND when it is the container that is not there: a mistake in the configuration, not a missing table */
async function openIfThere(
  blobs: BlobReader,
  ref: BlobRef,
  options?: OpenOptions,
): Promise<OpenedBlob | undefined> {
  try {
    return await blobs.open(ref, options);
  } catch (error) {
    if (isAppError(error, 'NOT_FOUND') && !blobErrors.containerMissing.is(error)) return undefined;
    throw error;
  }
}
