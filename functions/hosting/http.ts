import {
  app as functionsApp,
  type HttpRequest,
  type HttpResponseInit,
  type InvocationContext,
} from '@azure/functions';
import * as durable from 'durable-functions';
import { createByteBudget } from '../../shared/http/byte-budget.ts';
import { handleRequest } from '../../shared/http/handle.ts';
import { httpMethods, type Route, type RouteGroup } from '../../shared/http/route.ts';
import { createRouteTable } from '../../shared/http/route-table.ts';
import { toEngine } from './durable.ts';
import { toLogger } from './logger.ts';
import { app } from './start.ts';

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
    methods: [...httpMethods],
    route: `${group.prefix}/{*path}`,
    authLevel: group.authLevel,
    handler: (request, context) => {
      const path = new URL(request.url).pathname.slice(group.prefix.length + 2);
      const { route, params } = table.find(request.method, path);
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
  return handleRequest(
    route,
    {
      url: new URL(request.url),
      headers: request.headers,
      params,
      body: request.body as AsyncIterable<Uint8Array> | null,
      engine: route.startsPipelines ? toEngine(context) : undefined,
    },
    {
      auth: app.config.auth,
      correlationId: readCorrelationId(request) ?? context.invocationId,
      logger: toLogger(context),
      now: () => app.clock.now(),
      bodies,
    },
  );
}

/** A caller's own id is kept when it is harmless in a log and a header. */
function readCorrelationId(request: HttpRequest): string | undefined {
  const given = request.headers.get('x-correlation-id') ?? '';
  return /^[\w.:-]{1,128}$/.test(given) ? given : undefined;
}
