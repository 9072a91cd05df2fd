import type { z } from 'zod';
import type { Page, PageRequest } from '../../platform/storage/page.ts';
import { type PageQuery, pageQuery, pageSchema, toPageRequest } from './paging.ts';
import { defineRoute, type Route, type RouteRequest } from './route.ts';

type ReadRoute<Params, Query> = Pick<
  Route<Params, Query>,
  'name' | 'path' | 'summary' | 'params' | 'errors' | 'timeoutMs'
> & {
  /** Default: `reader`. */
  readonly role?: Route['role'];
};

/** Declares a GET route that answers with one object. */
export function defineGet<Params, Query, Result>(
  route: ReadRoute<Params, Query> & {
    readonly query?: z.ZodType<Query>;
    /** What the answer is, for the documentation: `The model.` */
    readonly description: string;
    readonly schema: z.ZodType<Result>;
    readonly get: (request: RouteRequest<Params, Query, unknown>) => Promise<NoInfer<Result>>;
  },
): Route {
  const { get, schema, description, ...rest } = route;
  return defineRoute<Params, Query, unknown>({
    method: 'GET',
    role: 'reader',
    ...rest,
    returns: { status: 200, description, schema },
    handle: async (request) => ({ json: await get(request) }),
  });
}

/** Declares a GET route that lists objects page by page. */
export function defineList<Params, Item, Query extends PageQuery>(
  route: ReadRoute<Params, Query> & {
    /** The page's parameters and others; default: the page's. */
    readonly query?: z.ZodType<Query>;
    /** What is listed, for the documentation: `models`. */
    readonly items: string;
    readonly schema: z.ZodType<Item>;
    readonly list: (
      request: RouteRequest<Params, Query, unknown>,
      page: PageRequest,
    ) => Promise<Page<NoInfer<Item>>>;
  },
): Route {
  const { list, items, schema, ...rest } = route;
  return defineGet<Params, Query, unknown>({
    query: pageQuery as unknown as z.ZodType<Query>,
    ...rest,
    description: `A page of ${items}.`,
    schema: pageSchema(schema),
    get: (request) => list(request, toPageRequest(request.query)),
  });
}
