import { randomBytes } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import { AppError, isAppError, retryIntent } from '../../../core/errors.ts';
import { writeMarkerName } from '../../../platform/storage/blob-rules.ts';
import type { BlobBody, BlobProperties, BlobRef, PutOptions } from '../../../platform/storage/blobs.ts';
import { splitIntoBlocks } from './blocks.ts';
import { callBlobService, hasServiceCode } from './errors.ts';
import { toBlobProperties } from './properties.ts';
import type { BlobAnswer } from './properties.ts';

/** Of the service: https://learn.microsoft.com/azure/storage/blobs/scalability-targets */
const maxBlocks = 50_000;

export interface WriteSettings {
  readonly subject: string;
  readonly timeoutMs: number;
  readonly blockSizeBytes: number;
}

interface WriteTarget {
  readonly ref: BlobRef;
  readonly client: BlockBlobClient;
  /** For the one question after a write whose outcome is unclear: few tries, so that an outage shows soon. */
  readonly probe: BlockBlobClient;
  readonly options: PutOptions;
  readonly settings: WriteSettings;
}

/**
 * Writes a whole blob: in one request when it fits in one block, else block by block with one commit at the end,
 * reading the next block while the last one travels. Until then readers see what was there before, and a source
 * that throws leaves nothing behind but blocks that the service forgets.
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
  // A short block is the last one.
  return first.length < blockSizeBytes
    ? writeWhole(target, first)
    : writeInBlocks(target, prepend(first, blocks));
}

/** Makes a blob of blocks that were staged before. */
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
  // Only the service knows how long the blocks are. The condition: to describe this write and no later one.
  const { etag: ifMatch } = committed;
  const head = await callBlobService(settings, (abortSignal) =>
    client.getProperties({ abortSignal, conditions: { ifMatch } }),
  );
  return toBlobProperties(ref, head);
}

/** The service wants base64 of one length within a blob. */
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
  const { client, ref, options, settings } = target;
  const conditions = options.leaseId === undefined ? {} : { conditions: { leaseId: options.leaseId } };
  // Blocks staged under one name by several writers lie side by side until one of them commits.
  const writer = randomBytes(8).toString('hex');
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
  // Settled rather than thrown: the source may take its time, and a rejection nobody awaits ends the process.
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

/** Another writer's commit discards the blocks of everyone else. */
function describeLostBlocks({ options, settings }: WriteTarget, cause: AppError): AppError {
  const { subject } = settings;
  if (options.ifAbsent === true)
    return new AppError('ALREADY_EXISTS', `${subject} exists already.`, {}, cause);
  if (options.ifMatch !== undefined) {
    return new AppError('PRECONDITION_FAILED', `${subject} has changed.`, {}, cause);
  }
  return new AppError('UNAVAILABLE', `${subject} was written by someone else meanwhile.`, {}, cause);
}

/**
 * Runs a write with its headers and conditions. A try whose answer was lost may have succeeded, and the next
 * one then fails on the condition that the first has made untrue. So a conditional write signs its blob, and
 * before it reports a failed condition, or an outcome it does not know, it looks whether its signature is there.
 */
async function conditionally(
  target: WriteTarget,
  write: (headers: object) => Promise<BlobProperties>,
  writePastStaged?: () => Promise<BlobProperties>,
): Promise<BlobProperties> {
  const { ref, options } = target;
  const isConditional = options.ifAbsent === true || options.ifMatch !== undefined;
  const marker = randomBytes(16).toString('hex');
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
    // To Azurite, unlike Azure, blocks that were staged and never committed are a blob that exists.
    if (committed === undefined && error.code === 'ALREADY_EXISTS' && writePastStaged !== undefined) {
      return await writePastStaged();
    }
    throw error;
  }
}

/** Conditions that this very write may have made untrue, and failures that say nothing of the outcome. */
function mayHideSuccess(error: AppError): boolean {
  return (
    ['ALREADY_EXISTS', 'PRECONDITION_FAILED', 'TIMEOUT', 'UNAVAILABLE'].includes(error.code) ||
    hasServiceCode(error, 'InvalidBlockList')
  );
}

/** @returns undefined when there is no blob. @throws when that cannot be told: the failure that can be retried */
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
