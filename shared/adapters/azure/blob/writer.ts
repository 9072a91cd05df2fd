import type { BlockBlobClient } from '@azure/storage-blob';

import { AppError, isAppError, retryIntent } from '../../../core/errors.ts';
import type { Ids } from '../../../core/ids.ts';
import { writeMarkerName } from '../../../platform/storage/blob-rules.ts';
import type { BlobBody, BlobProperties, BlobRef, PutOptions } from '../../../platform/storage/blobs.ts';
import { splitIntoBlocks } from './blocks.ts';
import { callBlobService, hasServiceCode } from './errors.ts';
import { toBlobProperties } from './properties.ts';
import type { BlobAnswer } from './properties.ts';

/** @see https://learn.microsoft.com/azure/storage/blobs/scalability-targets */
const maxBlocks = 50_000;

export interface WriteSettings {
  readonly subject: string;
  readonly timeoutMs: number;
  readonly blockSizeBytes: number;
}

interface WriteTarget {
  readonly ref: BlobRef;
  readonly client: BlockBlobClient;
  /** For the check after a write with an unknown outcome: few attempts, so that an outage is reported soon. */
  readonly probe: BlockBlobClient;
  readonly options: PutOptions;
  readonly ids: Pick<Ids, 'uuid'>;
  readonly settings: WriteSettings;
}

/**
 * Writes a whole blob: in one request when it fits in one block, else in blocks with one commit at the end, reading a
 * block while the one before is sent. Readers see the old content until the commit. The service discards the blocks of
 * a source that throws.
 */
export async function writeBlob(target: WriteTarget, body: BlobBody): Promise<BlobProperties> {
  const { blockSizeBytes } = target.settings;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return bytes.length <= blockSizeBytes
      ? writeWhole(target, bytes)
      : writeInBlocks(target, sliceIntoBlocks(bytes, blockSizeBytes));
  }
  const blocks = splitIntoBlocks(body, blockSizeBytes);
  const { value: first = new Uint8Array() } = await blocks.next();
  // Only the last block can be shorter.
  return first.length < blockSizeBytes
    ? writeWhole(target, first)
    : writeInBlocks(target, prepend(first, blocks));
}

/** Commits blocks that were staged before. */
export async function commitStaged(
  target: WriteTarget,
  blockIds: readonly string[],
): Promise<BlobProperties> {
  const { client, ref, settings } = target;
  const committed = await conditionally(target, async (conditional) => {
    const answer = await callBlobService(settings, (abortSignal) =>
      client.commitBlockList(blockIds.map(encodeBlockId), { abortSignal, ...conditional }),
    );
    return toBlobProperties(ref, answer);
  });
  // Only the service knows the sizes of the blocks. The condition excludes later writes.
  const { etag: ifMatch } = committed;
  const head = await callBlobService(settings, (abortSignal) =>
    client.getProperties({ abortSignal, conditions: { ifMatch } }),
  );
  return toBlobProperties(ref, head);
}

/** The service requires Base64 ids of one length within a blob. */
export function encodeBlockId(id: string): string {
  return Buffer.from(id).toString('base64');
}

async function writeWhole(target: WriteTarget, bytes: Uint8Array): Promise<BlobProperties> {
  const { client, ref, options, settings } = target;
  return conditionally(
    target,
    async (conditional) => {
      const answer = await callBlobService(settings, (abortSignal) =>
        client.upload(bytes, bytes.length, { abortSignal, ...conditional }),
      );
      return describeWritten(ref, options, answer, bytes.length);
    },
    () => writeInBlocks(target, [bytes]),
  );
}

async function writeInBlocks(
  target: WriteTarget,
  blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<BlobProperties> {
  const { client, ref, options, ids, settings } = target;
  const conditions = options.leaseId === undefined ? {} : { conditions: { leaseId: options.leaseId } };
  // Distinguishes the blocks of concurrent writers of one blob.
  const writer = ids.uuid();
  const blockIds: string[] = [];
  let sizeBytes = 0;
  const stage = async (block: Uint8Array): Promise<void> => {
    if (blockIds.length === maxBlocks) {
      const limitBytes = maxBlocks * settings.blockSizeBytes;
      throw new AppError('PAYLOAD_TOO_LARGE', `${settings.subject} is larger than a blob can be.`, {
        limitBytes,
      });
    }
    const id = `${writer}-${String(blockIds.length).padStart(6, '0')}`;
    blockIds.push(id);
    sizeBytes += block.length;
    await callBlobService(settings, (abortSignal) =>
      client.stageBlock(encodeBlockId(id), block, block.length, { abortSignal, ...conditions }),
    );
  };
  // Settle it: while the source is slow, an unawaited rejection would end the process.
  const settle = (staging: Promise<void>): Promise<{ readonly error?: unknown }> =>
    staging.then(
      () => ({}),
      (error: unknown) => ({ error }),
    );
  const finish = async (staging: Promise<{ readonly error?: unknown }>): Promise<void> => {
    const outcome = await staging;
    if ('error' in outcome) throw outcome.error;
  };
  let staging = settle(Promise.resolve());
  try {
    for await (const block of blocks) {
      await finish(staging);
      staging = settle(stage(block));
    }
  } finally {
    await staging;
  }
  await finish(staging);
  try {
    return await conditionally(target, async (conditional) => {
      const answer = await callBlobService(settings, (abortSignal) =>
        client.commitBlockList(blockIds.map(encodeBlockId), { abortSignal, ...conditional }),
      );
      return describeWritten(ref, options, answer, sizeBytes);
    });
  } catch (error) {
    throw hasServiceCode(error, 'InvalidBlockList') ? describeLostBlocks(target, error) : error;
  }
}

/** The commit of one writer discards the uncommitted blocks of all others. */
function describeLostBlocks({ options, settings }: WriteTarget, cause: AppError): AppError {
  const { subject } = settings;
  if (options.ifAbsent === true)
    return new AppError('ALREADY_EXISTS', `${subject} already exists.`, {}, cause);
  if (options.ifMatch !== undefined) {
    return new AppError('PRECONDITION_FAILED', `${subject} has changed.`, {}, cause);
  }
  return new AppError('UNAVAILABLE', `${subject} was written by another client at the same time.`, {}, cause);
}

/**
 * Runs a write with its headers and conditions. When an answer is lost, the write may have succeeded, and its retry fails
 * on a condition that the write itself invalidated. So a conditional write marks its blob, and looks for its mark before
 * it reports a failed condition or an unknown outcome.
 */
async function conditionally(
  target: WriteTarget,
  write: (headers: object) => Promise<BlobProperties>,
  writePastStaged?: () => Promise<BlobProperties>,
): Promise<BlobProperties> {
  const { ref, options, ids } = target;
  const isConditional = options.ifAbsent === true || options.ifMatch !== undefined;
  const marker = ids.uuid();
  try {
    return await write({
      blobHTTPHeaders: { blobContentType: options.contentType ?? 'application/octet-stream' },
      metadata: { ...options.metadata, ...(isConditional ? { [writeMarkerName]: marker } : {}) },
      conditions: {
        ...(options.ifAbsent === true ? { ifNoneMatch: '*' } : {}),
        ...(options.ifMatch === undefined ? {} : { ifMatch: options.ifMatch }),
        ...(options.leaseId === undefined ? {} : { leaseId: options.leaseId }),
      },
    });
  } catch (error) {
    if (!isConditional || !isAppError(error) || !mayHideSuccess(error)) throw error;
    const committed = await findCommitted(target, error);
    if (committed?.metadata?.[writeMarkerName] === marker) return toBlobProperties(ref, committed);
    // In Azurite, unlike Azure, uncommitted blocks count as an existing blob.
    if (committed === undefined && error.code === 'ALREADY_EXISTS' && writePastStaged !== undefined) {
      return await writePastStaged();
    }
    throw error;
  }
}

/** Whether the write may have succeeded: conditions that it can invalidate itself, and unknown outcomes. */
function mayHideSuccess(error: AppError): boolean {
  return (
    ['ALREADY_EXISTS', 'PRECONDITION_FAILED', 'TIMEOUT', 'UNAVAILABLE'].includes(error.code) ||
    hasServiceCode(error, 'InvalidBlockList')
  );
}

/** @returns undefined for a missing blob. @throws the retryable one of the two failures when the check fails */
async function findCommitted(
  { probe, settings }: WriteTarget,
  otherwise: AppError,
): Promise<BlobAnswer | undefined> {
  try {
    return await callBlobService(settings, (abortSignal) => probe.getProperties({ abortSignal }));
  } catch (error) {
    if (isAppError(error, 'NOT_FOUND')) return undefined;
    throw retryIntent(otherwise) === 'later' ? otherwise : error;
  }
}

function describeWritten(
  ref: BlobRef,
  options: PutOptions,
  answer: BlobAnswer,
  sizeBytes: number,
): BlobProperties {
  return toBlobProperties(ref, {
    etag: answer.etag,
    lastModified: answer.lastModified,
    contentLength: sizeBytes,
    contentType: options.contentType,
    metadata: options.metadata,
  });
}

function* sliceIntoBlocks(bytes: Uint8Array, blockSizeBytes: number): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += blockSizeBytes) {
    yield bytes.subarray(offset, offset + blockSizeBytes);
  }
}

async function* prepend(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}
