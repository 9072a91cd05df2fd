import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import type { BlobLeaseClient, BlockBlobClient } from '@azure/storage-blob';

import { isAppError } from '../../core/errors.ts';
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

/** A storage account: by its connection string (the local one), or by its address and an Entra ID identity. */
export type BlobAccount =
  | { readonly connectionString: string }
  | { readonly serviceUri: string; readonly credential: TokenCredential };

export interface BlobStoreTuning {
  /**
   * How a streamed body is cut, and so how much memory a write takes (two blocks). A blob has at most 50,000
   * blocks: the default of 4 MiB allows 195 GiB; larger bodies need larger blocks (the service takes 4,000 MiB).
   */
  readonly blockSizeBytes?: number;
  /** For one request with all its tries, and for each wait on more bytes of a body. Default 60,000. */
  readonly timeoutMs?: number;
  /** Tries of one request. Default 4. */
  readonly maxTries?: number;
  /** Wait before the third try; the second follows at once, each later one waits twice as long and more. Default 300. */
  readonly retryDelayMs?: number;
  /** For the times in signed URLs. Default the system's clock. */
  readonly now?: () => number;
}

/** Nobody waits for a ping longer: those of several health checks would only pile up. */
const maxPingMs = 5_000;

/** The port over Azure Blob storage, and over Azurite. With the default tuning an absent server shows in 1.2 s. */
export function createBlobStore({
  blockSizeBytes = 4 * 1024 * 1024,
  timeoutMs = 60_000,
  maxTries = 4,
  retryDelayMs = 300,
  now = () => Date.now(),
  ...account
}: BlobAccount & BlobStoreTuning): BlobStore {
  const retry = { maxTries, retryDelayInMs: retryDelayMs, maxRetryDelayInMs: 5_000 };
  const service = connect(account, retry);
  const probeService = connect(account, { ...retry, maxTries: 2 });
  const presigner = createPresigner(service, { now, timeoutMs });
  const clientOf = (ref: BlobRef, of = service): BlockBlobClient => {
    checkBlobRef(ref);
    return of.getContainerClient(ref.container).getBlockBlobClient(ref.name);
  };
  const boundsOf = (ref: BlobRef) => ({ subject: `Blob "${ref.container}/${ref.name}"`, timeoutMs });
  const targetOf = (ref: BlobRef, options: Parameters<BlobStore['put']>[2] = {}) => {
    checkPutOptions(options);
    const settings = { ...boundsOf(ref), blockSizeBytes };
    return { ref, options, settings, client: clientOf(ref), probe: clientOf(ref, probeService) };
  };
  /** A missing blob is `undefined`; a missing container is a mistake in the configuration and stays an error. */
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
          // Asked first: an identity that may write blobs may well not create containers.
          if (!(await container.exists({ abortSignal }))) await container.createIfNotExists({ abortSignal });
        });
      }
    },

    async put(ref, body, options) {
      return writeBlob(targetOf(ref, options), body);
    },

    async open(ref, options = {}) {
      return openBlob(clientOf(ref), ref, options, { ...boundsOf(ref), retryDelayMs, maxResumes: maxTries });
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
        // Somebody else has just written it, or holds it.
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
      // The client proposes the lease's id: a second try after a lost answer is granted the same lease again.
      const client = clientOf(ref).getBlobLeaseClient();
      await callBlobService(boundsOf(ref), (abortSignal) =>
        client.acquireLease(durationSeconds, { abortSignal }),
      );
      return toLease(client, boundsOf(ref));
    },

    async ping() {
      // Listing a page of one is the cheapest thing that "Storage Blob Data Reader" on the account may ask.
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
