import { app as functionsApp } from '@azure/functions';
import { createByteBudget } from '../../shared/api/http/byte-budget.ts';
import { httpMethods, type Route, type RouteGroup } from '../../shared/api/http/route.ts';
import { createRouteTable } from '../../shared/api/http/route-table.ts';
import { serve, type ServeOptions } from './serve.ts';
import { app } from './start.ts';

// For the whole app: the SDK has no other way to stream bodies (docs/adr/0010).
functionsApp.setup({ enableHttpStream: true });

const registered: Route[] = [];

const options: ServeOptions = {
  auth: app.config.auth,
  now: () => app.clock.now(),
  // Four of the largest scoring requests at once.
  bodies: createByteBudget(64 * 2 ** 20),
};

/** Every route registered so far, for `/openapi.json`. */
export const registeredRoutes: readonly Route[] = registered;

/** Registers declared routes as HTTP functions. */
export function registerRoutes(routes: readonly Route[]): void {
  for (const route of routes) {
    registered.push(route);
    functionsApp.http(route.name, {
      methods: [route.method],
      route: route.path,
      authLevel: route.authLevel,
      handler: (request, context) => serve(route, request.params, request, context, options),
    });
  }
}

/** Registers a group of routes as one HTTP function for every path below its prefix. */
export function registerRouteGroup(group: RouteGroup): void {
  const table = createRouteTable(group);
  functionsApp.http(group.name, {
    methods: [...httpMethods, 'HEAD'],
    route: `${group.prefix}/{*path}`,
    authLevel: group.authLevel,
    handler: (request, context) => {
      const { route, params } = table.find(request.method, new URL(request.url).pathname);
      return serve(route, params, request, context, options);
    },
  });
}
