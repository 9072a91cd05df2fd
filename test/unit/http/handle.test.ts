import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AppError, type ErrorCode, errorCodes } from '../../../shared/core/errors.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { type ByteBudget, createByteBudget } from '../../../shared/api/http/byte-budget.ts';
import { handleRequest, type IncomingRequest } from '../../../shared/api/http/handle.ts';
import { patienceMs } from '../../support/hang-guard.ts';
import { type Role, roles } from '../../../shared/api/http/principal.ts';
import { defineRoute, type Route } from '../../../shared/api/http/route.ts';

const echo = defineRoute({
  name: 'test-echo',
  method: 'POST',
  path: 'echo/{id}',
  summary: 'Echoes.',
  authLevel: 'anonymous',
  role: 'contributor',
  params: z.object({ id: z.coerce.number().int() }),
  query: z.object({ loud: z.enum(['yes', 'no']).default('no') }),
  body: z.strictObject({ rows: z.array(z.object({ n: z.number() })) }),
  maxBodyBytes: 200,
  timeoutMs: patienceMs,
  returns: { status: 201, description: 'What was sent.' },
  handle: async ({ params, query, body }) => ({ json: { params, query, body } }),
});

describe('a valid request', () => {
  test('is parsed, handled and answered with the status of the route', async () => {
    const response = await send(echo, {
      body: '{"rows":[{"n":1}]}',
      params: { id: '7' },
      query: '?loud=yes',
    });
    expect(response.status).toBe(201);
    expect(JSON.parse(response.body)).toEqual({
      params: { id: 7 },
      query: { loud: 'yes' },
      body: { rows: [{ n: 1 }] },
    });
    expect(response.headers).toMatchObject({
      'content-type': 'application/json',
      'x-correlation-id': 'test-correlation',
      'x-content-type-options': 'nosniff',
    });
  });
});

describe('bad input is a problem that names the place and the remedy', () => {
  const cases: [string, Partial<Sent>, ErrorCode, RegExp][] = [
    ['broken JSON', { body: '{"rows":[' }, 'INVALID_ARGUMENT', /not JSON/],
    ['an empty body', { body: '' }, 'INVALID_ARGUMENT', /empty/],
    ['bytes that are not UTF-8', { body: Buffer.from([0x7b, 0xff, 0x7d]) }, 'INVALID_ARGUMENT', /not UTF-8/],
    ['a wrong type', { body: '{"rows":[{"n":1},{"n":"x"}]}' }, 'INVALID_ARGUMENT', /rows\[1\]\.n/],
    ['an unknown member', { body: '{"rows":[],"x":1}' }, 'INVALID_ARGUMENT', /x/],
    ['a wrong path parameter', { params: { id: 'seven' } }, 'INVALID_ARGUMENT', /path.*id/],
    ['a wrong query', { query: '?loud=maybe' }, 'INVALID_ARGUMENT', /query.*loud/],
    [
      'another content type',
      { headers: { 'content-type': 'text/xml' } },
      'UNSUPPORTED_MEDIA_TYPE',
      /application\/json/,
    ],
    ['a body over the limit', { body: `{"rows":[${' '.repeat(300)}]}` }, 'PAYLOAD_TOO_LARGE', /200 bytes/],
    [
      'a declared length over the limit',
      { headers: { 'content-length': '201' } },
      'PAYLOAD_TOO_LARGE',
      /200 bytes/,
    ],
  ];
  test.each(cases)('%s', async (_, sent, code, detail) => {
    const response = await send(echo, { body: '{"rows":[]}', params: { id: '1' }, ...sent });
    const problem = JSON.parse(response.body) as Record<string, unknown>;
    expect(response.status).toBe(errorCodes[code].status);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(problem).toMatchObject({ code, status: response.status, correlationId: 'test-correlation' });
    expect(problem['detail']).toMatch(detail);
  });

  test('a body without a declared length is not read past the limit', async () => {
    let chunksRead = 0;
    async function* endless() {
      for (;;) {
        chunksRead += 1;
        yield Buffer.alloc(100, 0x20);
      }
    }
    const response = await send(echo, { params: { id: '1' }, stream: endless() });
    expect(response.status).toBe(413);
    expect(chunksRead).toBe(3);
  });

  test('any bytes get a 4xx problem', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 150 }), async (bytes) => {
        const response = await send(echo, { params: { id: '1' }, body: bytes });
        expect(response.status).toBeGreaterThanOrEqual(400);
        expect(response.status).toBeLessThan(500);
      }),
    );
  });
});

describe('server errors', () => {
  test('an unknown error is a 500 without details', async () => {
    const response = await send(
      handling(async () => {
        throw new Error('password=hunter2 at /etc/app.ts:3');
      }),
    );
    expect(response.status).toBe(500);
    expect(response.body).not.toMatch(/hunter2|app\.ts|stack/);
    expect(JSON.parse(response.body)).toMatchObject({ code: 'INTERNAL', correlationId: 'test-correlation' });
  });

  test('a rate limit has a Retry-After', async () => {
    const response = await send(
      handling(async () => {
        throw new AppError('RATE_LIMITED', 'Later.', { retryAfterMs: 1_200 });
      }),
    );
    expect(response.status).toBe(429);
    expect(response.headers['retry-after']).toBe('2');
  });

  test('a handler that takes too long is aborted and answered with 504', async () => {
    let aborted = false;
    const response = await sendHastily(
      handling(
        ({ signal }) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              resolve({ json: {} });
            });
          }),
      ),
    );
    expect(response.status).toBe(504);
    expect(aborted).toBe(true);
  });
});

describe('roles', () => {
  const all: (Role | undefined)[] = [undefined, ...roles];
  test.each(all.flatMap((granted) => roles.map((needed) => [granted, needed] as const)))(
    'granted %s, needed %s',
    async (granted, needed) => {
      const route = { ...handling(async ({ principal }) => ({ json: principal })), role: needed };
      const response = await send(route, { auth: 'appService', headers: principalHeader(granted) });
      const expected =
        granted === undefined ? 401 : roles.indexOf(granted) >= roles.indexOf(needed) ? 200 : 403;
      expect(response.status).toBe(expected);
    },
  );

  test('a signed-in caller without any role may only use open routes', async () => {
    const header = encodePrincipal([{ typ: 'name', val: 'Ada' }]);
    const closed = { ...handling(async () => ({ json: {} })), role: 'reader' as const };
    const open = handling(async ({ principal }) => ({ json: principal }));
    expect((await send(closed, { auth: 'appService', headers: header })).status).toBe(403);
    expect(JSON.parse((await send(open, { auth: 'appService', headers: header })).body)).toEqual({
      name: 'Ada',
      roles: [],
    });
  });

  test.each([
    'not base64 JSON',
    Buffer.from('{"claims":3}').toString('base64'),
    Buffer.from('null').toString('base64'),
  ])('a header that App Service never writes is refused: %s', async (value) => {
    const route = { ...handling(async () => ({ json: {} })), role: 'reader' as const };
    const response = await send(route, { auth: 'appService', headers: { 'x-ms-client-principal': value } });
    expect(response.status).toBe(401);
  });
});

interface Sent {
  readonly bodies: ByteBudget;
  readonly body: string | Uint8Array;
  readonly stream: AsyncIterable<Uint8Array>;
  readonly params: Record<string, string>;
  readonly query: string;
  readonly headers: Record<string, string>;
  readonly auth: 'off' | 'appService';
}

async function send(route: Route, sent: Partial<Sent> = {}) {
  const request: IncomingRequest = {
    url: new URL(`http://localhost/test${sent.query ?? ''}`),
    headers: new Headers(sent.headers),
    params: sent.params ?? {},
    body: sent.stream ?? chunksOf(sent.body ?? ''),
  };
  const { body, ...answer } = await handleRequest(route, request, {
    auth: sent.auth ?? 'off',
    correlationId: 'test-correlation',
    logger: silentLogger,
    now: () => 0,
    bodies: sent.bodies ?? createByteBudget(2 ** 20),
  });
  return { ...answer, body: typeof body === 'string' ? body : await new Response(body).text() };
}

/** To a route with a time limit of 50 ms. */
const sendHastily = (route: Route, sent?: Partial<Sent>) => send({ ...route, timeoutMs: 50 }, sent);

async function* chunksOf(body: string | Uint8Array) {
  const bytes = Buffer.from(body);
  for (let offset = 0; offset < bytes.length; offset += 64) yield bytes.subarray(offset, offset + 64);
}

function handling(handle: Route['handle']): Route {
  return {
    name: 'test-route',
    method: 'GET',
    path: 'test',
    summary: 'Tests.',
    authLevel: 'anonymous',
    role: 'anonymous',
    timeoutMs: patienceMs,
    returns: { status: 200, description: 'Done.' },
    handle,
  };
}

function principalHeader(role: Role | undefined): Record<string, string> {
  return role === undefined ? {} : encodePrincipal([{ typ: 'roles', val: `Slipway.${role}` }]);
}

function encodePrincipal(claims: { typ: string; val: string }[]): Record<string, string> {
  const principal = { auth_typ: 'aad', name_typ: 'name', role_typ: 'roles', claims };
  return { 'x-ms-client-principal': Buffer.from(JSON.stringify(principal)).toString('base64') };
}

describe('an incomplete body is a client error, never a 5xx', () => {
  test('a stalled body is abandoned at the route’s time limit', async () => {
    async function* stalls() {
      yield Buffer.from('{"rows":[');
      await new Promise(() => {});
    }
    const response = await sendHastily(echo, { stream: stalls(), params: { id: '7' } });
    expect(response.status).toBe(408);
    expect(JSON.parse(response.body)).toMatchObject({ code: 'REQUEST_TIMEOUT', timeoutMs: 50 });
  });

  test('a body that breaks off', async () => {
    async function* breaks() {
      yield Buffer.from('{"rows":[');
      throw new Error('ECONNRESET 10.0.0.7');
    }
    const response = await send(echo, { stream: breaks(), params: { id: '7' } });
    expect(response.status).toBe(499);
    expect(response.body).not.toContain('10.0.0.7');
  });
});

test('bounds the list of faults in a problem', async () => {
  const faulty = { ...echo, maxBodyBytes: 2 ** 20 };
  const many = await send(faulty, { body: `{"rows":[${'0,'.repeat(100_000)}0]}`, params: { id: '7' } });
  expect(many.status).toBe(400);
  const problem = JSON.parse(many.body) as { faults: unknown[]; detail: string };
  expect(problem.faults).toHaveLength(20);
  expect(problem.detail).toMatch(/and 100000 more/);
  const names = Array.from({ length: 20_000 }, (_, i) => `"k${i}":0`).join(',');
  const wide = await send(faulty, { body: `{"rows":[],${names}}`, params: { id: '7' } });
  expect(wide.status).toBe(400);
  expect(wide.body.length).toBeLessThan(2_000);
});

test('bodies share a budget: one above it is refused with a retry time, and each answer frees its share', async () => {
  const bodies = createByteBudget(150);
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const slow = defineRoute({
    ...handling(async () => ({ json: {} })),
    body: z.unknown(),
    handle: async () => {
      entered.resolve();
      await gate.promise;
      return { json: {} };
    },
  });
  const body = JSON.stringify('x'.repeat(98));
  const first = send(slow, { body, bodies });
  await entered.promise;
  const second = await send(slow, { body, bodies });
  expect(second.status).toBe(429);
  expect(second.headers['retry-after']).toBe('1');
  gate.resolve();
  expect((await first).status).toBe(200);
  expect((await send(slow, { body, bodies })).status).toBe(200);
});
