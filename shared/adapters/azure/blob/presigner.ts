import {
  BlobSASPermissions,
  type BlobServiceClient,
  type BlockBlobClient,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';

import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import { checkExpiry, maxPresignMs } from '../../../platform/storage/blob-rules.ts';
import type { PresignOptions } from '../../../platform/storage/blobs.ts';
import { callBlobService, hasServiceCode } from './errors.ts';
import { encodeBlockId } from './writer.ts';

export interface Presigner {
  sign(client: BlockBlobClient, options: PresignOptions): Promise<string>;
  signBlocks(client: BlockBlobClient, blockIds: readonly string[], expiresAt: number): Promise<string[]>;
}

export interface PresignerDeps {
  readonly service: BlobServiceClient;
  readonly clock: Pick<Clock, 'now'>;
}

type DelegationKey = Awaited<ReturnType<BlobServiceClient['getUserDelegationKey']>>;

/** Tolerated difference between the clocks of the service and of this machine. */
const clockSkewMs = 15 * 60_000;
/** Long enough to request keys seldom, short enough to limit leaked URLs. */
const keyLifetimeMs = 24 * 3_600_000;

/**
 * Signs URLs for single blobs (shared access signatures) with the account's key, or with a user delegation key when the
 * store uses an identity (role "Storage Blob Delegator" or any data role on the account). Caches the delegation key until
 * it would expire before the URL.
 *
 * @see https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
 */
export function createPresigner(
  { service, clock }: PresignerDeps,
  { timeoutMs }: { readonly timeoutMs: number },
): Presigner {
  const usesKey = service.credential instanceof StorageSharedKeyCredential;
  const usesIdentity = 'getToken' in service.credential;
  let cached: { readonly endsAt: number; readonly key: Promise<DelegationKey> } | undefined;

  const getKey = (expiresAt: number): Promise<DelegationKey> => {
    if (cached !== undefined && cached.endsAt >= expiresAt) return cached.key;
    const startsAt = clock.now() - clockSkewMs;
    const endsAt = Math.min(Math.max(expiresAt, clock.now() + keyLifetimeMs), clock.now() + maxPresignMs);
    const key = requestKey(service, new Date(startsAt), new Date(endsAt), timeoutMs);
    const requested = { endsAt, key };
    cached = requested;
    // Do not cache a failure.
    key.catch(() => {
      if (cached === requested) cached = undefined;
    });
    return key;
  };

  const sign = async (client: BlockBlobClient, options: PresignOptions): Promise<string> => {
    const { access, expiresAt, contentType, contentDisposition } = options;
    checkExpiry(expiresAt, clock.now());
    const values = {
      // "w" allows uploads, including blocks, but neither reads nor deletes.
      permissions: BlobSASPermissions.parse(access === 'read' ? 'r' : 'w'),
      expiresOn: new Date(expiresAt),
      ...(contentType === undefined ? {} : { contentType }),
      ...(contentDisposition === undefined ? {} : { contentDisposition }),
      ...(client.url.startsWith('https:') ? { protocol: SASProtocol.Https } : {}),
    };
    if (usesKey) return client.generateSasUrl(values);
    if (usesIdentity) return client.generateUserDelegationSasUrl(values, await getKey(expiresAt));
    throw new AppError('NOT_IMPLEMENTED', 'The credential of this storage account cannot sign URLs.');
  };

  return {
    sign,
    async signBlocks(client, blockIds, expiresAt) {
      const url = await sign(client, { access: 'write', expiresAt });
      return blockIds.map((id) => `${url}&comp=block&blockid=${encodeURIComponent(encodeBlockId(id))}`);
    },
  };
}

/** @throws NOT_IMPLEMENTED when the identity may not delegate: a retry cannot help, and callers can fall back */
async function requestKey(
  service: BlobServiceClient,
  startsOn: Date,
  expiresOn: Date,
  timeoutMs: number,
): Promise<DelegationKey> {
  const subject = 'The key for signing URLs';
  try {
    return await callBlobService({ subject, timeoutMs }, (abortSignal) =>
      service.getUserDelegationKey(startsOn, expiresOn, { abortSignal }),
    );
  } catch (error) {
    if (!hasServiceCode(error, 'AuthorizationPermissionMismatch')) throw error;
    throw new AppError(
      'NOT_IMPLEMENTED',
      'The platform cannot sign URLs: assign its identity the role "Storage Blob Delegator" on the storage account.',
      {},
      error,
    );
  }
}
