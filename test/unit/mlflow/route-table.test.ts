import { describe, expect, test } from 'vitest';
import { createRouteTable } from '../../../shared/api/http/route-table.ts';
import { defineRoute, type HttpMethod, type RouteGroup } from '../../../shared/api/http/route.ts';
import { mlflowProtocol } from '../../../shared/api/mlflow/protocol.ts';

const route = (method: HttpMethod, path: string) =>
  defineRoute({
    name: `${method} ${path}`,
    method,
    path,
    summary: path,
    authLevel: 'anonymous',
    role: 'reader',
    returns: { status: 200, description: 'Done.' },
    handle: async () => ({ json: {} }),
  });

const group: RouteGroup = {
  name: 'group',
  prefix: 'api/2.0',
  authLevel: 'anonymous',
  protocol: mlflowProtocol,
  routes: [
    route('POST', 'runs/search'),
    route('GET', 'runs/search'),
    route('POST', 'models/search'),
    route('GET', 'models/{id}'),
    route('DELETE', 'models/{id}'),
    route('DELETE', 'models/{id}/tags/{key}'),
    route('PUT', 'files/{*path}'),
  ],
};
const table = createRouteTable(group);

describe('finds', () => {
  test.each([
    ['POST', 'runs/search', 'POST runs/search', {}],
    ['GET', 'runs/search', 'GET runs/search', {}],
    ['HEAD', 'runs/search', 'GET runs/search', {}],
    ['POST', '/runs//search/', 'POST runs/search', {}],
    ['POST', 'runs%2Fsearch', 'POST runs/search', {}],
    // The path without parameters has no GET; the one with them has.
    ['POST', 'models/search', 'POST models/search', {}],
    ['GET', 'models/search', 'GET models/{id}', { id: 'search' }],
    ['GET', 'models/m-1', 'GET models/{id}', { id: 'm-1' }],
    ['DELETE', 'models/m-1/tags/a%2Fb%20c%3F', 'DELETE models/{id}/tags/{key}', { id: 'm-1', key: 'a/b c?' }],
    ['GET', 'models/__proto__', 'GET models/{id}', { id: '__proto__' }],
    ['PUT', 'files/a/b%2520c/%E2%82%AC', 'PUT files/{*path}', { path: 'a/b%20c/€' }],
    ['PUT', 'files', 'PUT files/{*path}', { path: '' }],
  ])('%s %s', (method, path, name, params) => {
    const found = table.find(method, `/api/2.0/${path}`);
    expect([found.route.name, found.params]).toEqual([name, params]);
  });
});

describe('refuses, in the protocol of the group', () => {
  test.each([
    ['GET', 'nothing', 404, 'ENDPOINT_NOT_FOUND'],
    ['GET', '', 404, 'ENDPOINT_NOT_FOUND'],
    ['GET', 'models', 404, 'ENDPOINT_NOT_FOUND'],
    ['GET', 'models/m-1/tags', 404, 'ENDPOINT_NOT_FOUND'],
    ['GET', 'models/m-1/tags/k/more', 404, 'ENDPOINT_NOT_FOUND'],
    ['GET', 'constructor', 404, 'ENDPOINT_NOT_FOUND'],
    ['DELETE', 'runs/search', 405, 'ENDPOINT_NOT_FOUND'],
    ['PATCH', 'models/m-1', 405, 'ENDPOINT_NOT_FOUND'],
    ['OPTIONS', 'models/m-1', 405, 'ENDPOINT_NOT_FOUND'],
    ['GET', 'models/%E0%A4%A', 400, 'INVALID_PARAMETER_VALUE'],
    ['GET', 'models/%FF', 400, 'INVALID_PARAMETER_VALUE'],
    ['PUT', 'files/%', 400, 'INVALID_PARAMETER_VALUE'],
  ])('%s %s', async (method, path, status, code) => {
    const { route: refusing } = table.find(method, `/api/2.0/${path}`);
    const error = await refusing.handle({} as Parameters<typeof refusing.handle>[0]).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const reply = mlflowProtocol.toErrorReply(
      error as Parameters<typeof mlflowProtocol.toErrorReply>[0],
      'c',
    );
    expect([reply.status, JSON.parse(reply.body)]).toMatchObject([status, { error_code: code }]);
    expect(refusing.role).toBe('anonymous');
  });
});

test('two routes of one method and path throw', () => {
  const twice = { ...group, routes: [...group.routes, route('POST', 'runs/search')] };
  expect(() => createRouteTable(twice)).toThrow(/Two routes/);
});
