import {
  app as functionsApp,
  type HttpRequest,
  type HttpResponseInit,
  type InvocationContext,
} from '@azure/functions';
import * as durable from 'durable-functions';
import { AppError, describeCause } from '../../shared/core/errors.ts';
import type { Logger } from '../../shared/core/logger.ts';
import { readRequestBytes, type RequestBytes, toSentStream } from '../../shared/http/body-streams.ts';
import { createByteBudget } from '../../shared/http/byte-budget.ts';
import { handleRequest, type OutgoingResponse } from '../../shared/http/handle.ts';
import { httpMethods, type Route, type RouteGroup } from '../../shared/http/route.ts';
import { createRouteTable } from '../../shared/http/route-table.ts';
import { toEngine } from './durable.ts';
import { type Exchange, findExchange } from './exchange.ts';
import { toLogger } from './logger.ts';
import { app } from './start.ts';

// For the whole app: the SDK knows no other way to see bodies as they come (docs/adr/0010).
functionsApp.setup({ enableHttpStream: true });

const registered: Route[] = [];

/** Four of the largest scoring requests at once. */
const bodies = createByteBudget(64 * 2 ** 20);

/** Every route registered so far: what `/openapi.json` tells. */
export const registeredRoutes: readonly Route[] = registered;

/** Registers declared routes as HTTP functions. */
export function registerRoutes(routes: readonly Route[]): void {
  for (const route of routes) {
    registered.push(route);
    functionsApp.http(route.name, {
      methods: [route.method],
      route: route.path,
      authLevel: route.authLevel,
      extraInputs: route.startsPipelines ? [durable.input.durableClient()] : [],
      handler: (request, context) => serve(route, request.params, request, context),
    });
  }
}

/** Registers a group of routes as one HTTP function that takes whatever is below its prefix. */
export function registerRouteGroup(group: RouteGroup): void {
  const table = createRouteTable(group);
  functionsApp.http(group.name, {
    methods: [...httpMethods, 'HEAD'],
    route: `${group.prefix}/{*path}`,
    authLevel: group.authLevel,
    handler: (request, context) => {
      const { route, params } = table.find(request.method, new URL(request.url).pathname);
      return serve(route, params, request, context);
    },
  });
}

async function serve(
  route: Route,
  params: Readonly<Record<string, string>>,
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponseInit> {
  const exchange = findExchange(context.invocationId);
  const logger = toLogger(context);
  const body = readRequestBytes(request.body as AsyncIterable<Uint8Array> | null);
  const answer = await handleRequest(
    route,
    {
      url: new URL(request.url),
      headers: request.headers,
      params,
      body,
      ...(exchange ? { signal: signalOf(exchange) } : {}),
      engine: route.startsPipelines ? toEngine(context) : undefined,
    },
    {
      auth: app.config.auth,
      correlationId: readCorrelationId(request) ?? context.invocationId,
      logger,
      now: () => app.clock.now(),
      bodies,
    },
  );
  // What a handler left unread would otherwise stand in the way of the connection's next request.
  if (body.isStarted) exchange?.response.once('finish', () => dropRest(exchange, body));
  return {
    status: answer.status,
    headers: { ...answer.headers },
    body: toBody(answer, request, exchange, logger),
  };
}

/** Aborts when the caller goes away before the answer is whole. */
function signalOf({ response }: Exchange): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new AppError('CANCELLED', 'The caller has gone.'));
  });
  return gone.signal;
}

function toBody(
  { body, headers }: OutgoingResponse,
  request: HttpRequest,
  exchange: Exchange | undefined,
  logger: Logger,
): string | ReadableStream<Uint8Array> | null {
  if (typeof body === 'string') return request.method === 'HEAD' ? null : body;
  const length = headers['content-length'];
  const sent = toSentStream(body, {
    sink: exchange?.response,
    contentLength: length === undefined ? undefined : Number(length),
    onFailure: ({ code, message, cause }) =>
      logger.log('error', 'answer cut off', { code, detail: message, cause: describeCause(cause) }),
  });
  if (request.method !== 'HEAD') return sent;
  void sent.cancel();
  return null;
}

function dropRest({ request }: Exchange, body: RequestBytes): void {
  body.drain().catch(() => request.destroy());
}

/** A caller's own id is kept when it is harmless in a log and a header. */
function readCorrelationId(request: HttpRequest): string | undefined {
  const given = request.headers.get('x-correlation-id') ?? '';
  return /^[\w.:-]{1,128}$/.test(given) ? given : undefined;
}
