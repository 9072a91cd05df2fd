/**
 * Large bytes. One adapter: Azure Blob storage (Azurite when local). Bodies stream both ways; nothing is held
 * whole in memory.
 *
 * Errors: NOT_FOUND, ALREADY_EXISTS (put-if-absent lost), PRECONDITION_FAILED (stale ETag, or a lease is held by
 * someone else), INVALID_ARGUMENT (a name the service refuses), RATE_LIMITED, UNAVAILABLE, TIMEOUT,
 * INSUFFICIENT_STORAGE. An outage never reads as "missing", nor does a container that is not there: to `head` and
 * `delete`, too, that is NOT_FOUND.
 */
export interface BlobStore {
  /** Creates the containers that are not there yet. In Azure they are declared in Bicep; this then only checks. */
  ensureContainers(names: readonly string[]): Promise<void>;
  put(ref: BlobRef, body: BlobBody, options?: PutOptions): Promise<BlobProperties>;
  /** @throws NOT_FOUND; PRECONDITION_FAILED with `ifMatch`; INVALID_ARGUMENT for a range past the end */
  open(ref: BlobRef, options?: OpenOptions): Promise<OpenedBlob>;
  /** @returns undefined when there is no such blob. @throws NOT_FOUND when its container is not there */
  head(ref: BlobRef): Promise<BlobProperties | undefined>;
  /** @returns whether there was one to delete. @throws NOT_FOUND when its container is not there */
  delete(ref: BlobRef, options?: { readonly ifMatch?: string }): Promise<boolean>;
  /** One page in name order. `limit` 1–5,000; a page can be short, or even empty, and still carry a cursor. */
  list(
    container: string,
    options: { readonly prefix?: string; readonly cursor?: string; readonly limit: number },
  ): Promise<BlobPage>;
  /** Uploads one block of a blob that `commitBlocks` will make; block ids are any strings of one length. */
  stageBlock(ref: BlobRef, blockId: string, body: Uint8Array): Promise<void>;
  commitBlocks(ref: BlobRef, blockIds: readonly string[], options?: PutOptions): Promise<BlobProperties>;
  /**
   * Exclusive write access to an existing blob for 15–60 whole seconds, to be renewed before they are over.
   *
   * @throws NOT_FOUND; PRECONDITION_FAILED when someone else holds it
   */
  acquireLease(ref: BlobRef, durationSeconds: number): Promise<BlobLease>;
  /** Cheap proof of life for health checks. @throws UNAVAILABLE */
  ping(): Promise<void>;
}

export interface BlobRef {
  readonly container: string;
  readonly name: string;
}

export type BlobBody = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface PutOptions {
  readonly contentType?: string;
  /** Names are C# identifiers, values ASCII: the service's rule. Names come back in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Only when nothing is there yet. @throws ALREADY_EXISTS */
  readonly ifAbsent?: boolean;
  /** Only over this ETag. @throws PRECONDITION_FAILED */
  readonly ifMatch?: string;
  readonly leaseId?: string;
}

export interface OpenOptions {
  /** First byte, and how many (to the end when left out). */
  readonly range?: { readonly offset: number; readonly count?: number };
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface BlobProperties {
  readonly ref: BlobRef;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** Names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds since the Unix epoch. */
  readonly lastModified: number;
}

export interface OpenedBlob {
  readonly properties: BlobProperties;
  /**
   * The bytes of the range, once. A connection that breaks is resumed; a blob that changed meanwhile is
   * PRECONDITION_FAILED. Read it to its end, leave its loop, or fire the signal: untouched, it keeps a connection.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface BlobPage {
  readonly blobs: readonly BlobProperties[];
  readonly cursor?: string;
}

export interface BlobLease {
  readonly id: string;
  renew(): Promise<void>;
  release(): Promise<void>;
}
