import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AppError, type ErrorCode, errorCodes } from '../../../shared/core/errors.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { createByteBudget } from '../../../shared/api/http/byte-budget.ts';
import { handleRequest } from '../../../shared/api/http/handle.ts';
import type { Route } from '../../../shared/api/http/route.ts';
import { defineEndpoint, type MlflowEndpoint } from '../../../shared/api/mlflow/endpoint.ts';
import { int64, requiredText } from '../../../shared/api/mlflow/messages/message.ts';
import { mlflowProtocol } from '../../../shared/api/mlflow/protocol.ts';

// Every client retries these for minutes, so a permanent failure must not be among them.
const retried = [408, 429, 500, 502, 503, 504];

describe('errors', () => {
  test.each(Object.keys(errorCodes) as ErrorCode[])('%s has its status, code and message', (code) => {
    const { status, contentType, body } = mlflowProtocol.toErrorReply(new AppError(code, 'Because.'), 'c-1');
    expect(contentType).toBe('application/json');
    expect(JSON.parse(body)).toEqual({
      error_code: expect.stringMatching(/^[A-Z_]+$/) as string,
      message: status >= 500 ? 'Because. (correlation id c-1)' : 'Because.',
    });
    if (retried.includes(status)) expect(errorCodes[code].retry).not.toBe('never');
  });

  // From exceptions.py of MLflow 3.17: the status that its own server gives with each code.
  test.each([
    ['INVALID_ARGUMENT', 400, 'INVALID_PARAMETER_VALUE'],
    ['NOT_FOUND', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['ALREADY_EXISTS', 400, 'RESOURCE_ALREADY_EXISTS'],
    ['PERMISSION_DENIED', 403, 'PERMISSION_DENIED'],
    ['UNAUTHENTICATED', 401, 'UNAUTHENTICATED'],
    ['PRECONDITION_FAILED', 409, 'RESOURCE_CONFLICT'],
    ['RATE_LIMITED', 429, 'REQUEST_LIMIT_EXCEEDED'],
    ['UNAVAILABLE', 503, 'TEMPORARILY_UNAVAILABLE'],
    ['TIMEOUT', 504, 'DEADLINE_EXCEEDED'],
  ] as const)('%s is %i %s', (code, status, name) => {
    const reply = mlflowProtocol.toErrorReply(new AppError(code, 'Because.'), 'c');
    expect([reply.status, JSON.parse(reply.body)]).toMatchObject([status, { error_code: name }]);
  });
});

const message = z.object({ name: requiredText(), size: int64().optional() });
const endpoint = (more: Partial<MlflowEndpoint<z.infer<typeof message>>> = {}): Route[] => [
  ...defineEndpoint({
    methods: ['POST', 'DELETE', 'GET'],
    path: 'mlflow/things',
    summary: 'Things.',
    role: 'contributor',
    message,
    maxBodyBytes: 1_000,
    handle: async (thing) => ({ thing: { ...thing, size: thing.size ?? null } }),
    ...more,
  }),
];

interface Sent {
  readonly body: string | Uint8Array;
  readonly type: string | null;
  readonly query: string;
  readonly principal: string;
}

async function send(route: Route | undefined, sent: Partial<Sent> = {}) {
  if (!route) throw new Error('no route');
  const { body = '', type = 'application/json', query = '', principal } = sent;
  const response = await handleRequest(
    route,
    {
      url: new URL(`http://localhost/api/2.0/mlflow/things${query}`),
      headers: new Headers({
        ...(type === null ? {} : { 'content-type': type }),
        ...(principal === undefined ? {} : { 'x-ms-client-principal': principal }),
      }),
      params: {},
      body: (async function* () {
        yield Buffer.from(body);
      })(),
    },
    {
      auth: principal === undefined ? 'off' : 'appService',
      correlationId: 'c',
      logger: silentLogger,
      now: () => 0,
      bodies: createByteBudget(2 ** 24),
    },
  );
  const text = await new Response(response.body as string).text();
  return { status: response.status, json: JSON.parse(text) as Record<string, unknown> };
}

const [post, remove, get] = endpoint();

describe('bodies', () => {
  test.each([
    ['JSON', post, { body: '{"name":"a","size":"7"}' }],
    ['with a charset', post, { body: '{"name":"a","size":7.0}', type: 'application/json; charset=utf-8' }],
    ['encoded twice, as the oldest clients do', post, { body: JSON.stringify('{"name":"a","size":7}') }],
    ['of a DELETE, without a type', remove, { body: '{"name":"a","size":7}', type: null }],
    ['of a GET, in its query', get, { query: '?name=a&size=7', type: null }],
  ])('%s', async (_, route, sent) => {
    expect(await send(route, sent)).toEqual({ status: 200, json: { thing: { name: 'a', size: 7 } } });
  });

  test.each([
    ['no body', post, {}, /Missing value for required parameter 'name'/],
    ['no body of a DELETE', remove, { type: null }, /Missing value for required parameter 'name'/],
    ['null', post, { body: 'null' }, /Missing value for required parameter 'name'/],
    ['an array', post, { body: '[]' }, /must be a JSON object/],
    ['broken JSON', post, { body: '{"name":' }, /not JSON/],
    ['broken JSON within JSON', post, { body: '"{"' }, /not JSON/],
    ['no UTF-8', post, { body: Buffer.from([0x7b, 0xff, 0x7d]) }, /not UTF-8/],
    ['no type', post, { body: '{}', type: null }, /Content-Type header is missing/],
    ['another type', post, { body: '{}', type: 'text/plain' }, /Content-Type must be one of/],
    ['a number as written', post, { body: '{"name":9.0}' }, /Invalid value 9\.0 for parameter 'name'/],
  ])('%s is 400', async (_, route, sent: Partial<Sent>, words) => {
    const { status, json } = await send(route, sent);
    expect([status, json['error_code']]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(json['message']).toMatch(words);
  });

  test('a too large body is 413, which clients do not retry', async () => {
    const { status, json } = await send(post, { body: `{"name":"${'x'.repeat(2_000)}"}` });
    expect([status, json['error_code']]).toEqual([413, 'BAD_REQUEST']);
  });

  test('any bytes get an answer in the shape that clients read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(post, remove),
        async (body, route) => {
          const { status, json } = await send(route, { body });
          expect(status).toBe(400);
          expect(json).toEqual({
            error_code: 'INVALID_PARAMETER_VALUE',
            message: expect.any(String) as string,
          });
        },
      ),
    );
  });
});

describe('roles', () => {
  const as = (role: string) =>
    Buffer.from(JSON.stringify({ claims: [{ typ: 'roles', val: role }] })).toString('base64');
  test.each([
    ['nobody', '', 401, 'UNAUTHENTICATED'],
    ['an invalid header', '!', 401, 'UNAUTHENTICATED'],
    ['a reader', as('reader'), 403, 'PERMISSION_DENIED'],
  ])('%s is refused before the body is read', async (_, principal, status, code) => {
    const { status: given, json } = await send(post, { principal, body: '{"broken' });
    expect([given, json['error_code']]).toEqual([status, code]);
  });

  test('a caller with the role is admitted', async () => {
    expect((await send(post, { principal: as('operator'), body: '{"name":"a"}' })).status).toBe(200);
  });
});
