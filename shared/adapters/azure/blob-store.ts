import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import type { BlobLeaseClient, BlockBlobClient } from '@azure/storage-blob';

import type { Clock } from '../../core/clock.ts';
import { isAppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import {
  checkBlobRef,
  checkBlockIds,
  checkContainerName,
  checkFolderPrefix,
  checkLeaseDuration,
  checkPageLimit,
  checkPutOptions,
} from '../../platform/storage/blob-rules.ts';
import { blobErrors } from '../../platform/storage/blob-errors.ts';
import type { BlobLease, BlobRef, BlobStore } from '../../platform/storage/blobs.ts';
import { callBlobService } from './blob/errors.ts';
import { createPresigner } from './blob/presigner.ts';
import { toBlobProperties } from './blob/properties.ts';
import { openBlob } from './blob/reader.ts';
import { commitStaged, encodeBlockId, writeBlob } from './blob/writer.ts';

/** A storage account: by connection string (Azurite), or by service URI and Entra ID identity. */
export type BlobAccount =
  | { readonly connectionString: string }
  | { readonly serviceUri: string; readonly credential: TokenCredential };

export interface BlobStoreDeps {
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'uuid'>;
}

export interface BlobStoreTuning {
  /**
   * The size of the blocks of a streamed body. A write holds two blocks in memory. A blob has at most 50,000 blocks, so
   * the default of 4 MiB allows 195 GiB; the service allows blocks up to 4,000 MiB.
   */
  readonly blockSizeBytes?: number;
  /** Limits one request with its retries, and each wait for bytes of a body. Default 60,000. */
  readonly timeoutMs?: number;
  /** Attempts of one request. Default 4. */
  readonly maxTries?: number;
  /** Delay before the third attempt; the second has no delay, and later delays at least double. Default 300. */
  readonly retryDelayMs?: number;
}

export type BlobStoreOptions = BlobAccount & BlobStoreTuning;

/** A shorter timeout for pings, so that those of several health checks do not pile up. */
const maxPingMs = 5_000;

/** Implements the port over Azure Blob storage and Azurite. By default an unreachable server fails within 1.2 s. */
export function createBlobStore(
  { clock, ids }: BlobStoreDeps,
  {
    blockSizeBytes = 4 * 1024 * 1024,
    timeoutMs = 60_000,
    maxTries = 4,
    retryDelayMs = 300,
    ...account
  }: BlobStoreOptions,
): BlobStore {
  const retry = { maxTries, retryDelayInMs: retryDelayMs, maxRetryDelayInMs: 5_000 };
  const service = connect(account, retry);
  const probeService = connect(account, { ...retry, maxTries: 2 });
  const presigner = createPresigner({ service, clock }, { timeoutMs });
  const clientOf = (ref: BlobRef, of = service): BlockBlobClient => {
    checkBlobRef(ref);
    return of.getContainerClient(ref.container).getBlockBlobClient(ref.name);
  };
  const boundsOf = (ref: BlobRef) => ({ subject: `Blob "${ref.container}/${ref.name}"`, timeoutMs });
  const targetOf = (ref: BlobRef, options: Parameters<BlobStore['put']>[2] = {}) => {
    checkPutOptions(options);
    const settings = { ...boundsOf(ref), blockSizeBytes };
    return { ref, options, settings, ids, client: clientOf(ref), probe: clientOf(ref, probeService) };
  };
  /** Returns undefined for a missing blob. A missing container is a configuration error and is thrown. */
  const unlessMissing = async <T>(found: Promise<T>): Promise<T | undefined> => {
    try {
      return await found;
    } catch (error) {
      if (blobErrors.blobMissing.is(error)) return undefined;
      throw error;
    }
  };

  return {
    async ensureContainers(names) {
      for (const name of names) {
        checkContainerName(name);
        const container = service.getContainerClient(name);
        await callBlobService({ subject: `Container "${name}"`, timeoutMs }, async (abortSignal) => {
          // Check first: an identity that may write blobs may lack the right to create containers.
          if (!(await container.exists({ abortSignal }))) await container.createIfNotExists({ abortSignal });
        });
      }
    },

    async put(ref, body, options) {
      return writeBlob(targetOf(ref, options), body);
    },

    async open(ref, options = {}) {
      const settings = { ...boundsOf(ref), retryDelayMs, maxResumes: maxTries };
      return openBlob({ client: clientOf(ref), clock }, ref, options, settings);
    },

    async head(ref) {
      const client = clientOf(ref);
      const found = await unlessMissing(
        callBlobService(boundsOf(ref), (abortSignal) => client.getProperties({ abortSignal })),
      );
      return found && toBlobProperties(ref, found);
    },

    async delete(ref, { ifMatch } = {}) {
      const client = clientOf(ref);
      const deleted = await unlessMissing(
        callBlobService(boundsOf(ref), (abortSignal) =>
          client.delete({ abortSignal, ...(ifMatch === undefined ? {} : { conditions: { ifMatch } }) }),
        ),
      );
      return deleted !== undefined;
    },

    async touch(ref) {
      const client = clientOf(ref);
      const found = await unlessMissing(
        callBlobService(boundsOf(ref), (abortSignal) => client.getProperties({ abortSignal })),
      );
      if (!found) return false;
      const conditions = found.etag === undefined ? {} : { ifMatch: found.etag };
      try {
        const touched = callBlobService(boundsOf(ref), (abortSignal) =>
          client.setMetadata(found.metadata, { abortSignal, conditions }),
        );
        return (await unlessMissing(touched)) !== undefined;
      } catch (error) {
        // Another writer has just renewed it, or holds its lease.
        if (isAppError(error, 'PRECONDITION_FAILED')) return true;
        throw error;
      }
    },

    async list(container, { prefix, cursor, limit }) {
      checkContainerName(container);
      checkPageLimit(limit);
      return callBlobService({ subject: `Container "${container}"`, timeoutMs }, async (abortSignal) => {
        const pages = service
          .getContainerClient(container)
          .listBlobsFlat({ abortSignal, includeMetadata: true, ...(prefix === undefined ? {} : { prefix }) })
          .byPage({ maxPageSize: limit, ...(cursor === undefined ? {} : { continuationToken: cursor }) });
        for await (const { segment, continuationToken } of pages) {
          const blobs = segment.blobItems.map((item) =>
            toBlobProperties({ container, name: item.name }, { ...item.properties, metadata: item.metadata }),
          );
          return continuationToken ? { blobs, cursor: continuationToken } : { blobs };
        }
        return { blobs: [] };
      });
    },

    async listFolder(container, { prefix, cursor, limit }) {
      checkContainerName(container);
      checkFolderPrefix(prefix);
      checkPageLimit(limit);
      return callBlobService({ subject: `Container "${container}"`, timeoutMs }, async (abortSignal) => {
        const pages = service
          .getContainerClient(container)
          .listBlobsByHierarchy('/', { abortSignal, includeMetadata: true, prefix })
          .byPage({ maxPageSize: limit, ...(cursor === undefined ? {} : { continuationToken: cursor }) });
        for await (const { segment, continuationToken } of pages) {
          const blobs = segment.blobItems.map((item) =>
            toBlobProperties({ container, name: item.name }, { ...item.properties, metadata: item.metadata }),
          );
          const folders = (segment.blobPrefixes ?? []).map((folder) => folder.name);
          return { blobs, folders, ...(continuationToken ? { cursor: continuationToken } : {}) };
        }
        return { blobs: [], folders: [] };
      });
    },

    async presign(ref, options) {
      return presigner.sign(clientOf(ref), options);
    },

    async presignBlocks(ref, blockIds, { expiresAt }) {
      checkBlockIds(blockIds);
      return presigner.signBlocks(clientOf(ref), blockIds, expiresAt);
    },

    async stageBlock(ref, blockId, body) {
      checkBlockIds([blockId]);
      const client = clientOf(ref);
      await callBlobService(boundsOf(ref), (abortSignal) =>
        client.stageBlock(encodeBlockId(blockId), body, body.length, { abortSignal }),
      );
    },

    async commitBlocks(ref, blockIds, options) {
      checkBlockIds(blockIds);
      return commitStaged(targetOf(ref, options), blockIds);
    },

    async acquireLease(ref, durationSeconds) {
      checkLeaseDuration(durationSeconds);
      // The client chooses the lease id, so that a retry after a lost answer acquires the same lease.
      const client = clientOf(ref).getBlobLeaseClient();
      await callBlobService(boundsOf(ref), (abortSignal) =>
        client.acquireLease(durationSeconds, { abortSignal }),
      );
      return toLease(client, boundsOf(ref));
    },

    async ping() {
      // The cheapest request that the role "Storage Blob Data Reader" allows.
      const bounds = { subject: 'The storage account', timeoutMs: Math.min(timeoutMs, maxPingMs) };
      await callBlobService(bounds, (abortSignal) =>
        probeService.listContainers({ abortSignal }).byPage({ maxPageSize: 1 }).next(),
      );
    },
  };
}

function toLease(
  client: BlobLeaseClient,
  bounds: { readonly subject: string; readonly timeoutMs: number },
): BlobLease {
  return {
    id: client.leaseId,
    async renew() {
      await callBlobService(bounds, (abortSignal) => client.renewLease({ abortSignal }));
    },
    async release() {
      await callBlobService(bounds, (abortSignal) => client.releaseLease({ abortSignal }));
    },
  };
}

function connect(account: BlobAccount, retryOptions: object): BlobServiceClient {
  return 'connectionString' in account
    ? BlobServiceClient.fromConnectionString(account.connectionString, { retryOptions })
    : new BlobServiceClient(account.serviceUri, account.credential, { retryOptions });
}
