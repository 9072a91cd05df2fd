import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { AppError, describeCause } from '../../shared/core/errors.ts';
import type { Logger } from '../../shared/core/logger.ts';
import { readRequestBytes, toSentStream } from '../../shared/api/http/body-streams.ts';
import { type HandleOptions, handleRequest, type OutgoingResponse } from '../../shared/api/http/handle.ts';
import type { Route } from '../../shared/api/http/route.ts';
import { type Exchange, findExchange } from './exchange.ts';
import { toLogger } from './logger.ts';

/** What all requests share. */
export type ServeOptions = Pick<HandleOptions, 'auth' | 'now' | 'bodies' | 'idleMs'>;

/** Runs a route for one invocation; bodies are streamed both ways. */
export async function serve(
  route: Route,
  params: Readonly<Record<string, string>>,
  request: HttpRequest,
  context: InvocationContext,
  options: ServeOptions,
): Promise<HttpResponseInit> {
  const exchange = findExchange(context.invocationId);
  const logger = toLogger(context);
  // The SDK's stream of the same bytes copies each chunk, and a web stream doubles the cost.
  const source: AsyncIterableIterator<Uint8Array> | undefined = exchange?.request.iterator({
    destroyOnReturn: false,
  });
  let isStarted = false;
  const body = source && {
    [Symbol.asyncIterator]() {
      isStarted = true;
      return source;
    },
  };
  const answer = await handleRequest(
    route,
    {
      url: new URL(request.url),
      headers: request.headers,
      params,
      body: body ?? request.body,
      ...(exchange ? { signal: signalOf(exchange) } : {}),
    },
    {
      ...options,
      correlationId: readCorrelationId(request) ?? context.invocationId,
      logger,
    },
  );
  // Drains what the handler left unread, which would block the connection's next request.
  if (exchange && source && isStarted && !exchange.request.readableEnded)
    exchange.response.once('finish', () => void dropRest(exchange, source, options.idleMs));
  return {
    status: answer.status,
    headers: { ...answer.headers },
    body: toBody(answer, request, exchange, { idleMs: options.idleMs, logger }),
  };
}

/** Aborts when the caller disconnects before the answer is complete. */
function signalOf({ response }: Exchange): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new AppError('CANCELLED', 'The caller disconnected.'));
  });
  return gone.signal;
}

function toBody(
  { body, headers }: OutgoingResponse,
  request: HttpRequest,
  exchange: Exchange | undefined,
  { idleMs, logger }: { readonly idleMs: number | undefined; readonly logger: Logger },
): string | ReadableStream<Uint8Array> | null {
  if (typeof body === 'string') return request.method === 'HEAD' ? null : body;
  const length = headers['content-length'];
  const sent = toSentStream(body, {
    sink: exchange?.response,
    contentLength: length === undefined ? undefined : Number(length),
    idleMs,
    onFailure: ({ code, message, cause }) =>
      logger.log('error', 'response cut off', { code, detail: message, cause: describeCause(cause) }),
  });
  if (request.method !== 'HEAD') return sent;
  void sent.cancel();
  return null;
}

/** Reads the rest of a body, so that the connection can carry the next request. */
async function dropRest(
  { request }: Exchange,
  rest: AsyncIterable<Uint8Array>,
  idleMs: number | undefined,
): Promise<void> {
  try {
    for await (const chunk of readRequestBytes(rest, { idleMs })) void chunk;
  } catch {
    request.destroy();
  }
}

/** A caller's own id is kept when it is harmless in a log and a header. */
function readCorrelationId(request: HttpRequest): string | undefined {
  const given = request.headers.get('x-correlation-id') ?? '';
  return /^[\w.:-]{1,128}$/.test(given) ? given : undefined;
}
