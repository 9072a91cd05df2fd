import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AppError, type ErrorCode, errorCodes } from '../../../shared/core/errors.ts';
import type { JsonSchema } from '../../../shared/core/json/json-schema.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { createByteBudget } from '../../../shared/api/http/byte-budget.ts';
import { handleRequest } from '../../../shared/api/http/handle.ts';
import { describeRoutes } from '../../../shared/api/http/openapi.ts';
import { roles } from '../../../shared/api/http/principal.ts';
import { problemContentType } from '../../../shared/api/http/problem.ts';
import { defaultMaxBodyBytes, type Route } from '../../../shared/api/http/route.ts';
import { loadRoutes } from '../../support/http-routes.ts';

const routes = await loadRoutes();
const document = describeRoutes(routes, '1.0.0');
const problem = z.fromJSONSchema(document.components.schemas['Problem'] as z.core.JSONSchema.JSONSchema);

interface Content {
  readonly schema: JsonSchema;
  readonly example: unknown;
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
}
const operations = new Map(
  Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .map((operation) => [operation.operationId, operation as Operation]),
);
const operationOf = ({ name }: Route): Operation => operations.get(name)!;
const named = routes.map((route) => ({ name: route.name, route }));
const withBody = named.filter(({ route }) => route.body);

test('every function has its routes in the catalog', () => {
  expect(routes.length).toBeGreaterThan(50);
  expect(operations.size).toBe(routes.length);
});

test.each(named)('$name states its role', ({ route }) => {
  // Health and the API description are open to everybody.
  if (route.role === 'anonymous') expect(route.name).toMatch(/^platform-/);
  else expect(roles).toContain(route.role);
});

describe('the body of', () => {
  test.each(withBody)('$name is closed at every depth', ({ route }) => {
    const { schema } = operationOf(route).requestBody!.content['application/json']!;
    expect(findOpen(schema, 'body')).toEqual([]);
  });

  test.each(withBody)('$name has an example that it accepts', ({ route }) => {
    const { schema, example } = operationOf(route).requestBody!.content['application/json']!;
    expect(z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema).safeParse(example).error).toBeUndefined();
    expect(route.body!.safeParse(example).error).toBeUndefined();
  });

  const content = { 'content-type': 'application/json' };
  const malformed: readonly [string, string, Readonly<Record<string, string>>, ErrorCode, RegExp][] = [
    ['cut JSON', '{"a":', content, 'INVALID_ARGUMENT', /not JSON/],
    ['no body', '', content, 'INVALID_ARGUMENT', /empty/],
    ['another type', '<a/>', { 'content-type': 'text/xml' }, 'UNSUPPORTED_MEDIA_TYPE', /application\/json/],
    ['an array', '[]', content, 'INVALID_ARGUMENT', /object/],
  ];
  test.each(withBody)('$name that is malformed is a problem', async ({ route }) => {
    for (const [what, body, headers, code, detail] of malformed) {
      if (body === '' && route.bodyIsOptional) continue;
      const answer = await send(route, { body, headers });
      expect(answer, what).toMatchObject({ code, detail: expect.stringMatching(detail) as string });
    }
    const tooLarge = {
      ...content,
      'content-length': String((route.maxBodyBytes ?? defaultMaxBodyBytes) + 1),
    };
    expect(await send(route, { body: '{}', headers: tooLarge })).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  test.each(withBody)('$name that has an unknown key is a problem that names it', async ({ route }) => {
    const { example } = operationOf(route).requestBody!.content['application/json']!;
    const body = JSON.stringify({ ...(example as object), unknownKey: 1 });
    expect(await send(route, { body, headers: content })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      faults: expect.arrayContaining([expect.objectContaining({ at: 'unknownKey' })]) as unknown,
    });
  });
});

describe('the answers of', () => {
  const withJson = named.flatMap(({ name, route }) =>
    [route.returns, ...(route.alsoReturns ?? [])]
      .filter(({ schema }) => schema)
      .map((returns) => ({ name, route, returns })),
  );
  test.each(withJson)('$name have an example of their schema', ({ route, returns }) => {
    const { schema, example } = operationOf(route).responses[returns.status]!.content!['application/json']!;
    expect(z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema).safeParse(example).error).toBeUndefined();
  });

  const native = named.filter(({ route }) => route.protocol === undefined);
  test.each(native)('$name are problems of one shape, with declared statuses', async ({ route }) => {
    const declared = new Set(Object.keys(operationOf(route).responses).map(Number));
    const codes = [...(route.errors ?? []), 'INTERNAL', 'UNAVAILABLE'] as const;
    for (const code of codes) {
      const failing: Route = {
        ...withoutInput(route),
        handle: () => Promise.reject(new AppError(code, 'No.', { fact: 1 })),
      };
      const answer = await send(failing, {});
      expect(answer).toMatchObject({ code, detail: 'No.', fact: 1 });
      const { status } = errorCodes[code];
      if (status < 500) expect([...declared], code).toContain(status);
    }
    const secret: Route = {
      ...withoutInput(route),
      handle: () => Promise.reject(new Error('a secret of the platform')),
    };
    const unknown = await send(secret, {});
    expect(unknown).toMatchObject({ code: 'INTERNAL' });
    expect(JSON.stringify(unknown)).not.toContain('secret');
  });
});

/** Objects that accept unchecked keys. */
function findOpen(schema: JsonSchema, at: string): readonly string[] {
  const {
    properties,
    additionalProperties,
    items,
    prefixItems = [],
    anyOf = [],
    oneOf = [],
    allOf = [],
  } = schema;
  const isObject = schema.type === 'object' || properties !== undefined;
  const isMap = typeof additionalProperties === 'object' && properties === undefined;
  return [
    ...(isObject && additionalProperties !== false && !isMap ? [at] : []),
    ...Object.entries(properties ?? {}).flatMap(([name, member]) => findOpen(member, `${at}.${name}`)),
    ...(isMap ? findOpen(additionalProperties, `${at}.*`) : []),
    ...[...(items ? [items] : []), ...prefixItems].flatMap((item) => findOpen(item, `${at}[]`)),
    ...[...anyOf, ...oneOf, ...allOf].flatMap((branch) => findOpen(branch, at)),
  ];
}

/** The route without the schemas of its path and query, so that any URL reaches the body's. */
function withoutParams({ params: _params, query: _query, ...route }: Route): Route {
  return route;
}

/** The route without any input schema, so that every request reaches its handler. */
function withoutInput(route: Route): Route {
  const { body: _body, ...open } = withoutParams(route);
  return open;
}

/** @returns the problem, checked against the document */
async function send(
  route: Route,
  { body, headers = {} }: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> },
): Promise<Readonly<Record<string, unknown>>> {
  const given = new Headers(headers);
  const path = route.path.replaceAll(/\{\*?([^}:?]+)[^}]*\}/g, 'a');
  const response = await handleRequest(
    withoutParams(route),
    {
      url: new URL(`http://localhost/${path}`),
      headers: given,
      params: {},
      body: body === undefined || body === '' ? null : one(Buffer.from(body)),
    },
    {
      auth: 'off',
      correlationId: 'c1',
      logger: silentLogger,
      now: () => 0,
      bodies: createByteBudget(2 ** 20),
    },
  );
  expect(response.headers['content-type']).toBe(problemContentType);
  const parsed = JSON.parse(response.body as string) as Record<string, unknown>;
  expect(problem.safeParse(parsed).error).toBeUndefined();
  expect(parsed).toMatchObject({ status: response.status, correlationId: 'c1', type: 'about:blank' });
  return parsed;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
