import type { Writable } from 'node:stream';
import { AppError, isAppError, toAppError } from '../../core/errors.ts';
import { withTimeout, type WorkTimer } from '../../core/async/with-timeout.ts';

/** The idle timeout of a body, in either direction. */
export const defaultIdleMs = 60_000;

/**
 * Reads the bytes of a request. A reader that leaves the loop early leaves the rest unread: cancelling the body would
 * close the connection before the answer.
 *
 * Reading throws REQUEST_TIMEOUT when nothing arrived for `idleMs`, and CANCELLED when the body broke off.
 *
 * @param timer of the reader; paused while the reader waits for the caller
 */
export function readRequestBytes(
  source: AsyncIterable<Uint8Array> | null,
  options: { readonly idleMs?: number | undefined; readonly timer?: WorkTimer } = {},
): AsyncIterable<Uint8Array> {
  const { idleMs = defaultIdleMs, timer } = options;
  let iterator: AsyncIterator<Uint8Array> | undefined;
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    // Not before the first read: the server discards a body that nobody begins to read.
    iterator ??= source?.[Symbol.asyncIterator]();
    const begun = iterator;
    if (!begun) return { done: true, value: undefined };
    timer?.pause();
    try {
      const result = await withTimeout({ timeoutMs: idleMs, toError: stalledUpload }, () => begun.next());
      return result.done ? { done: true, value: undefined } : result;
    } catch (cause) {
      if (isAppError(cause)) throw cause;
      throw new AppError('CANCELLED', 'The request broke off before its body was whole.', {}, cause);
    } finally {
      timer?.restart();
    }
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/**
 * Waits for the first bytes, so that a source that fails immediately is still answered with an error status. Closes the
 * source when `signal` has fired meanwhile.
 */
export async function primeStream(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]();
  const close = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    await iterator.return?.();
    return { done: true, value: undefined };
  };
  let first: IteratorResult<Uint8Array, undefined> | undefined = await iterator.next();
  if (signal.aborted) await close();
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        const result = first;
        first = undefined;
        return result ? Promise.resolve(result) : iterator.next();
      },
      return: close,
    }),
  };
}

export interface SendOptions {
  /** The connection's response: the stream follows its pace, and destroys it when the source fails. */
  readonly sink: Writable | undefined;
  /** The announced length; an answer of any other length fails. */
  readonly contentLength: number | undefined;
  readonly idleMs?: number | undefined;
  readonly onFailure: (error: AppError) => void;
}

/**
 * The body of a streamed answer, with back-pressure: it reads nothing from the source while the sink is full, because
 * the SDK writes without waiting. A failure in the middle cuts the connection, as an answer that ends normally looks
 * complete. When the caller leaves, the source is closed, which is not a failure.
 *
 * @see https://github.com/Azure/azure-functions-nodejs-library/blob/v4.x/src/http/httpProxy.ts (sendProxyResponse)
 */
export function toSentStream(
  source: AsyncIterable<Uint8Array>,
  options: SendOptions,
): ReadableStream<Uint8Array> {
  const { sink, contentLength, idleMs = defaultIdleMs, onFailure } = options;
  const iterator = source[Symbol.asyncIterator]();
  let sentBytes = 0;
  let isOver = false;
  const stop = () => {
    if (isOver) return;
    isOver = true;
    // Nothing waits for the source to close, so a failure is only reported.
    iterator.return?.().catch((error: unknown) => onFailure(toAppError(error)));
  };
  if (sink?.destroyed) stop();
  else sink?.once('close', stop);

  const pull = async (): Promise<Uint8Array | undefined> => {
    if (sink?.writableNeedDrain)
      await withTimeout({ timeoutMs: idleMs, toError: stalledDownload }, () => drained(sink));
    if (isOver) return undefined;
    const result = await withTimeout({ timeoutMs: idleMs, toError: stalledSource }, () => iterator.next());
    if (isOver) return undefined;
    if (result.done) {
      isOver = true;
      if (contentLength === undefined || sentBytes === contentLength) return undefined;
      throw new AppError('INTERNAL', `The answer ended after ${sentBytes} of ${contentLength} bytes.`);
    }
    sentBytes += result.value.length;
    if (contentLength !== undefined && sentBytes > contentLength)
      throw new AppError('INTERNAL', `The answer continued after ${contentLength} bytes.`);
    return result.value;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          // An empty chunk would not wake the reader.
          let chunk = await pull();
          while (chunk?.length === 0) chunk = await pull();
          if (chunk) controller.enqueue(chunk);
          else controller.close();
        } catch (cause) {
          if (sink?.destroyed) return controller.close();
          const error = toAppError(cause);
          onFailure(error);
          stop();
          sink?.destroy();
          controller.error(error);
        }
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  );
}

/** Resolves when the sink has drained or closed. */
function drained(sink: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      sink.off('drain', done);
      sink.off('close', done);
      resolve();
    };
    sink.once('drain', done);
    sink.once('close', done);
  });
}

function stalledUpload(idleMs: number): AppError {
  const message = `Nothing of the body arrived for ${idleMs} ms.`;
  return new AppError('REQUEST_TIMEOUT', message, { timeoutMs: idleMs });
}

function stalledDownload(idleMs: number): AppError {
  return new AppError('CANCELLED', `The caller read nothing for ${idleMs} ms.`, { timeoutMs: idleMs });
}

function stalledSource(idleMs: number): AppError {
  return new AppError('TIMEOUT', `The answer had no data for ${idleMs} ms.`, { timeoutMs: idleMs });
}
