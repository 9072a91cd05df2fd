import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeRoutes } from '../../../shared/api/http/openapi.ts';
import { pageQuery } from '../../../shared/api/http/paging.ts';
import { defineGet, defineList } from '../../../shared/api/http/read-routes.ts';
import type { Route, RouteRequest } from '../../../shared/api/http/route.ts';

const call = (route: Route, query: unknown, params: unknown = {}) =>
  route.handle({ query, params } as RouteRequest<unknown, unknown, unknown>);

test('a list passes the page and its other parameters to the handler', async () => {
  const route = defineList({
    name: 'things-list',
    path: 'api/v1/shelves/{shelf}/things',
    summary: 'Lists things.',
    params: z.object({ shelf: z.string() }),
    query: pageQuery.extend({ color: z.string().optional() }),
    items: 'things',
    schema: z.object({ name: z.string() }),
    list: async ({ params, query }, page) => ({
      items: [{ name: `${params.shelf} ${query.color} ${JSON.stringify(page)}` }],
      cursor: 'next',
    }),
  });
  expect(await call(route, { limit: 5, color: 'red', cursor: 'c' }, { shelf: 'a' })).toEqual({
    json: { items: [{ name: 'a red {"limit":5,"cursor":"c"}' }], cursor: 'next' },
  });
  expect(route).toMatchObject({ method: 'GET', role: 'reader', authLevel: 'anonymous' });
});

test('a list without parameters has those of a page', () => {
  const route = defineList({
    name: 'things-list',
    path: 'api/v1/things',
    summary: 'Lists things.',
    role: 'operator',
    items: 'things',
    schema: z.object({ name: z.string() }),
    list: async () => ({ items: [] }),
  });
  expect(route.query?.parse({})).toEqual({ limit: 100 });
  expect(route.role).toBe('operator');
  const operation = describeRoutes([route], '1').paths['/api/v1/things']?.['get'];
  expect(operation?.parameters.map(({ name }) => name)).toEqual(['cursor', 'limit']);
  expect(operation?.responses['200']).toMatchObject({ description: 'A page of things.' });
});

test('a get answers with the object', async () => {
  const route = defineGet({
    name: 'things-get',
    path: 'api/v1/things/{name}',
    summary: 'Gets a thing.',
    params: z.object({ name: z.string() }),
    description: 'The thing.',
    schema: z.object({ name: z.string() }),
    errors: ['NOT_FOUND'],
    get: async ({ params }) => ({ name: params.name }),
  });
  expect(await call(route, {}, { name: 'a' })).toEqual({ json: { name: 'a' } });
  expect(route).toMatchObject({ method: 'GET', role: 'reader', errors: ['NOT_FOUND'] });
});
