import { AppError, describeCause, toAppError } from '../../core/errors.ts';
import { type Logger, type LogLevel, withFields } from '../../core/logger.ts';
import { validate } from '../../core/validate.ts';
import { withTimeout } from '../../core/async/with-timeout.ts';
import { primeStream, readRequestBytes } from './body-streams.ts';
import { hasRole, localPrincipal, type Principal, readPrincipal } from './principal.ts';
import type { ByteBudget, HeldBytes } from './byte-budget.ts';
import { problems } from './problem.ts';
import { readJson, readText } from './read-body.ts';
import { defaultTimeoutMs, type Reply, type Route } from './route.ts';

/** A request of any host. The body is read at most once, and never past the route's limit. */
export interface IncomingRequest {
  readonly url: URL;
  readonly headers: { get(name: string): string | null };
  readonly params: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array> | null;
  /** Aborts when the caller disconnects before the answer is complete. */
  readonly signal?: AbortSignal;
}

export interface OutgoingResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<Uint8Array>;
}

export interface HandleOptions {
  readonly auth: 'off' | 'appService';
  readonly correlationId: string;
  readonly logger: Logger;
  readonly now: () => number;
  /** The memory that the bodies of all requests share. */
  readonly bodies: ByteBudget;
  /** Idle timeout of streamed bodies. */
  readonly idleMs?: number;
}

/** Runs a request through its route: authorizes, validates, handles, renders. Never throws. */
export async function handleRequest(
  route: Route,
  request: IncomingRequest,
  options: HandleOptions,
): Promise<OutgoingResponse> {
  const { correlationId } = options;
  const logger = withFields(options.logger, { correlationId, route: route.name });
  const startedAt = options.now();
  const held = options.bodies.open();
  const response = await answer(route, request, options, logger, held)
    .catch((error: unknown) => toErrorResponse(route, error, correlationId, logger))
    .finally(() => held.release());
  logger.log(levelOf(response.status), 'http request', {
    method: route.method,
    status: response.status,
    durationMs: options.now() - startedAt,
  });
  return response;
}

/** Application Insights records every request: only failures need a line of ours. */
function levelOf(status: number): LogLevel {
  if (status >= 500) return 'error';
  return status >= 400 ? 'info' : 'debug';
}

async function answer(
  route: Route,
  request: IncomingRequest,
  options: HandleOptions,
  logger: Logger,
  held: HeldBytes,
): Promise<OutgoingResponse> {
  const principal = authorize(route, request, options.auth);
  const params = route.params ? validate(route.params, request.params, 'path') : {};
  const query = route.query
    ? validate(route.query, Object.fromEntries(request.url.searchParams), 'query string')
    : {};
  const timeoutMs = route.timeoutMs ?? defaultTimeoutMs;
  const body = route.body
    ? validate(route.body, await readBody(route, request, timeoutMs, held, options.idleMs), 'request body')
    : undefined;
  const reply = await withTimeout({ timeoutMs, toError: noAnswer }, async (timeSignal, timer) => {
    const handled = await route.handle({
      params,
      query,
      body,
      url: request.url,
      headers: request.headers,
      bytes: readRequestBytes(request.body, { timer, idleMs: options.idleMs }),
      principal,
      correlationId: options.correlationId,
      logger,
      signal: request.signal ? eitherOf(timeSignal, request.signal) : timeSignal,
    });
    // Waits for the first bytes: a source that fails at once still becomes an error response.
    return handled.stream ? { ...handled, stream: await primeStream(handled.stream, timeSignal) } : handled;
  });
  return render(route, reply, options.correlationId);
}

/** `AbortSignal.any` for two signals that live as long as one request, without its weak references. */
function eitherOf(first: AbortSignal, second: AbortSignal): AbortSignal {
  const either = new AbortController();
  for (const signal of [first, second]) {
    if (signal.aborted) either.abort(signal.reason);
    else signal.addEventListener('abort', () => either.abort(signal.reason), { once: true });
  }
  return either.signal;
}

function readBody(
  route: Route,
  request: IncomingRequest,
  timeoutMs: number,
  held: HeldBytes,
  idleMs: number | undefined,
): Promise<unknown> {
  const read = route.bodyIsText ? readText : readJson;
  const from = { headers: request.headers, body: readRequestBytes(request.body, { idleMs }) };
  return withTimeout({ timeoutMs, toError: slowBody }, () => read(route, from, held));
}

function authorize(route: Route, request: IncomingRequest, auth: HandleOptions['auth']): Principal {
  if (auth === 'off') return localPrincipal;
  const principal = readPrincipal(request.headers.get('x-ms-client-principal') ?? undefined);
  if (route.role === 'anonymous') return principal ?? { name: 'anonymous', roles: [] };
  if (principal === undefined) throw new AppError('UNAUTHENTICATED', 'Sign in first.', { role: route.role });
  if (!hasRole(principal, route.role)) {
    throw new AppError('PERMISSION_DENIED', `This needs the role "${route.role}".`, {
      role: route.role,
      granted: principal.roles,
    });
  }
  return principal;
}

function slowBody(timeoutMs: number): AppError {
  return new AppError('REQUEST_TIMEOUT', `The body did not arrive within ${timeoutMs} ms.`, { timeoutMs });
}

function noAnswer(timeoutMs: number): AppError {
  return new AppError('TIMEOUT', `No answer within ${timeoutMs} ms.`, { timeoutMs });
}

function render(route: Route, reply: Reply, correlationId: string): OutgoingResponse {
  const contentType =
    reply.text === undefined && reply.stream === undefined
      ? 'application/json'
      : (route.returns.contentType ?? 'text/plain; charset=utf-8');
  const body = reply.stream ?? reply.text ?? JSON.stringify(reply.json ?? {});
  return {
    status: reply.status ?? route.returns.status,
    headers: {
      'content-type': contentType,
      ...lengthOf(body),
      ...commonHeaders(correlationId),
      ...reply.headers,
    },
    body,
  };
}

/** Bodies that are streamed have the length that their route says, if it does. */
function lengthOf(body: OutgoingResponse['body']): Record<string, string> {
  return typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
}

function toErrorResponse(
  route: Route,
  thrown: unknown,
  correlationId: string,
  logger: Logger,
): OutgoingResponse {
  const error = toAppError(thrown);
  if (error.status >= 500) {
    logger.log('error', 'request failed', {
      code: error.code,
      detail: error.message,
      cause: describeCause(error.cause),
    });
  }
  const { retryAfterMs } = error;
  const { status, contentType, body } = (route.protocol ?? problems).toErrorReply(error, correlationId);
  return {
    status,
    headers: {
      'content-type': contentType,
      ...lengthOf(body),
      ...commonHeaders(correlationId),
      ...(retryAfterMs !== undefined ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : {}),
    },
    body,
  };
}

function commonHeaders(correlationId: string): Record<string, string> {
  return {
    'x-correlation-id': correlationId,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
}
