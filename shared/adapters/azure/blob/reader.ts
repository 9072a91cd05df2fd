import type { BlobClient, BlobDownloadResponseParsed } from '@azure/storage-blob';

import { backoffMs } from '../../../core/async/backoff.ts';
import { cancelled } from '../../../core/async/cancelled.ts';
import { withTimeout } from '../../../core/async/with-timeout.ts';
import type { Clock } from '../../../core/clock.ts';
import { AppError, isAppError, retryIntent } from '../../../core/errors.ts';
import { checkRange } from '../../../platform/storage/blob-rules.ts';
import type { BlobRef, OpenedBlob, OpenOptions } from '../../../platform/storage/blobs.ts';
import { callBlobService } from './errors.ts';
import { toBlobProperties } from './properties.ts';

const maxResumeDelayMs = 5_000;

export interface ReaderDeps {
  readonly client: BlobClient;
  readonly clock: Pick<Clock, 'sleep'>;
}

export interface ReadSettings {
  readonly subject: string;
  /** Limits the wait for the head of an answer, and each wait for bytes of its body. */
  readonly timeoutMs: number;
  /** Consecutive connections without a byte before the read fails. */
  readonly maxResumes: number;
  readonly retryDelayMs: number;
}

/**
 * Opens a blob. When a connection breaks, resumes the body where it stopped, under the same ETag. Disables the SDK's own
 * resumption, which mistakes a reset connection for the caller's abort (12.34).
 *
 * Read the body to its end, leave its loop, or abort: an unread body keeps its connection open.
 */
export async function openBlob(
  { client, clock }: ReaderDeps,
  ref: BlobRef,
  options: OpenOptions,
  settings: ReadSettings,
): Promise<OpenedBlob> {
  checkRange(options.range);
  const { offset = 0, count } = options.range ?? {};
  const download = (from: number, length: number | undefined, ifMatch: string | undefined) =>
    callBlobService({ ...settings, signal: options.signal }, async (abortSignal) => {
      const answer = await client.download(from, length, {
        abortSignal,
        maxRetryRequests: 0,
        ...(ifMatch === undefined ? {} : { conditions: { ifMatch } }),
      });
      // Otherwise an abort between two reads is an unhandled error.
      answer.readableStreamBody?.on('error', () => undefined);
      return answer;
    });
  const first = await download(offset, count, options.ifMatch);
  const sizeBytes = readTotalSize(first);
  if (options.range !== undefined && offset >= sizeBytes) {
    // The service rejects such ranges itself, except from byte 0, where the SDK sends no range.
    releaseBody(first);
    throw new AppError('INVALID_ARGUMENT', `${settings.subject} ends before the range.`, { sizeBytes });
  }
  const properties = toBlobProperties(ref, first, sizeBytes);
  const resume = async (from: number, length: number) => {
    try {
      return await download(from, length, properties.etag);
    } catch (error) {
      if (!isAppError(error, 'NOT_FOUND')) throw error;
      throw new AppError(
        'PRECONDITION_FAILED',
        `${settings.subject} was deleted during the read.`,
        {},
        error,
      );
    }
  };
  const end = offset + (first.contentLength ?? 0);
  return { properties, body: readBody(clock, first, { offset, end }, resume, options.signal, settings) };
}

async function* readBody(
  clock: Pick<Clock, 'sleep'>,
  first: BlobDownloadResponseParsed,
  { offset, end }: { readonly offset: number; readonly end: number },
  resume: (from: number, length: number) => Promise<BlobDownloadResponseParsed>,
  signal: AbortSignal | undefined,
  settings: ReadSettings,
): AsyncGenerator<Uint8Array> {
  let position = offset;
  let failures = 0;
  let answer: BlobDownloadResponseParsed | undefined = first;
  for (;;) {
    let cause: unknown;
    try {
      answer ??= await resume(position, end - position);
      for await (const chunk of readChunks(answer, settings.timeoutMs)) {
        position += chunk.length;
        failures = 0;
        yield chunk;
      }
    } catch (error) {
      // Resume after outages only: other answers (changed, deleted) are final.
      if (isAppError(error) && retryIntent(error) !== 'later') throw error;
      cause = error;
    }
    if (signal?.aborted === true) throw cancelled('The read', cause);
    if (position >= end) return;
    failures += 1;
    if (failures > settings.maxResumes) {
      if (isAppError(cause)) throw cause;
      throw new AppError('UNAVAILABLE', `The connection broke while reading ${settings.subject}.`, {}, cause);
    }
    answer = undefined;
    // The first resumption has no delay.
    if (failures > 1) await waitToResume(clock, failures - 1, settings.retryDelayMs, signal);
  }
}

async function waitToResume(
  clock: Pick<Clock, 'sleep'>,
  failures: number,
  baseMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await clock.sleep(backoffMs(failures, { baseMs, maxMs: maxResumeDelayMs }, 0), signal);
  } catch (error) {
    throw cancelled('The read', error);
  }
}

/** Yields the chunks of one answer. Closes the connection when the loop ends, or when no byte arrives for `timeoutMs`. */
async function* readChunks(
  answer: BlobDownloadResponseParsed,
  timeoutMs: number,
): AsyncGenerator<Uint8Array> {
  const stream = answer.readableStreamBody;
  if (stream === undefined) return;
  const chunks = stream[Symbol.asyncIterator]();
  const toError = () => new Error(`No byte arrived for ${timeoutMs} ms.`);
  try {
    for (;;) {
      const next = await withTimeout({ timeoutMs, toError }, () => chunks.next());
      if (next.done) return;
      yield typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
    }
  } finally {
    releaseBody(answer);
  }
}

function releaseBody({ readableStreamBody }: BlobDownloadResponseParsed): void {
  if (readableStreamBody !== undefined && 'destroy' in readableStreamBody)
    (readableStreamBody as { destroy(): void }).destroy();
}

/** Reads `Content-Range: bytes 0-9/100` of a range, else `Content-Length`. */
function readTotalSize({ contentRange, contentLength }: BlobDownloadResponseParsed): number {
  return contentRange === undefined ? (contentLength ?? 0) : Number(contentRange.split('/')[1]);
}
