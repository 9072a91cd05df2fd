import {
  BlobSASPermissions,
  type BlobServiceClient,
  type BlockBlobClient,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';

import { AppError } from '../../../core/errors.ts';
import { checkExpiry, maxPresignMs } from '../../../platform/storage/blob-rules.ts';
import type { PresignOptions } from '../../../platform/storage/blobs.ts';
import { callBlobService, hasServiceCode } from './errors.ts';
import { encodeBlockId } from './writer.ts';

export interface Presigner {
  sign(client: BlockBlobClient, options: PresignOptions): Promise<string>;
  signBlocks(client: BlockBlobClient, blockIds: readonly string[], expiresAt: number): Promise<string[]>;
}

type DelegationKey = Awaited<ReturnType<BlobServiceClient['getUserDelegationKey']>>;

/** Clocks of the account and of this machine may differ by so much. */
const clockSkewMs = 15 * 60_000;
/** A key serves for a day, so that it is asked for seldom and no leaked URL can live for long. */
const keyLifetimeMs = 24 * 3_600_000;

/**
 * Signs URLs for single blobs (shared access signatures): with the account's key where there is one, else with a key
 * that the service gives to an identity that may delegate (role "Storage Blob Delegator", or any of the data roles on
 * the account). That key is kept and shared by all callers until it would end before the URL.
 *
 * @see https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
 */
export function createPresigner(
  service: BlobServiceClient,
  { now, timeoutMs }: { readonly now: () => number; readonly timeoutMs: number },
): Presigner {
  const usesKey = service.credential instanceof StorageSharedKeyCredential;
  const usesIdentity = 'getToken' in service.credential;
  let kept: { readonly endsAt: number; readonly key: Promise<DelegationKey> } | undefined;

  const getKey = (expiresAt: number): Promise<DelegationKey> => {
    if (kept !== undefined && kept.endsAt >= expiresAt) return kept.key;
    const startsAt = now() - clockSkewMs;
    const endsAt = Math.min(Math.max(expiresAt, now() + keyLifetimeMs), now() + maxPresignMs);
    const key = askForKey(service, new Date(startsAt), new Date(endsAt), timeoutMs);
    const asked = { endsAt, key };
    kept = asked;
    // A failure is not kept: the next caller asks anew.
    key.catch(() => {
      if (kept === asked) kept = undefined;
    });
    return key;
  };

  const sign = async (client: BlockBlobClient, options: PresignOptions): Promise<string> => {
    const { access, expiresAt, contentType, contentDisposition } = options;
    checkExpiry(expiresAt, now());
    const values = {
      // "w" alone does what uploads need, blocks included; it neither reads nor deletes.
      permissions: BlobSASPermissions.parse(access === 'read' ? 'r' : 'w'),
      expiresOn: new Date(expiresAt),
      ...(contentType === undefined ? {} : { contentType }),
      ...(contentDisposition === undefined ? {} : { contentDisposition }),
      ...(client.url.startsWith('https:') ? { protocol: SASProtocol.Https } : {}),
    };
    if (usesKey) return client.generateSasUrl(values);
    if (usesIdentity) return client.generateUserDelegationSasUrl(values, await getKey(expiresAt));
    throw new AppError(
      'NOT_IMPLEMENTED',
      'This storage account is known by a credential that cannot sign URLs.',
    );
  };

  return {
    sign,
    async signBlocks(client, blockIds, expiresAt) {
      const url = await sign(client, { access: 'write', expiresAt });
      return blockIds.map((id) => `${url}&comp=block&blockid=${encodeURIComponent(encodeBlockId(id))}`);
    },
  };
}

/** @throws NOT_IMPLEMENTED when the identity may not delegate: no retry helps, and callers have other ways */
async function askForKey(
  service: BlobServiceClient,
  startsOn: Date,
  expiresOn: Date,
  timeoutMs: number,
): Promise<DelegationKey> {
  const subject = 'A key for signing URLs';
  try {
    return await callBlobService({ subject, timeoutMs }, (abortSignal) =>
      service.getUserDelegationKey(startsOn, expiresOn, { abortSignal }),
    );
  } catch (error) {
    if (!hasServiceCode(error, 'AuthorizationPermissionMismatch')) throw error;
    throw new AppError(
      'NOT_IMPLEMENTED',
      'The platform may not sign URLs: grant its identity "Storage Blob Delegator" on the storage account.',
      {},
      error,
    );
  }
}
