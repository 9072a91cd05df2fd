import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import type { Role } from '../http/principal.ts';
import { parseJson } from '../http/read-body.ts';
import { defineRoute, type HttpMethod, type Route, type RouteRequest } from '../http/route.ts';
import { readMessage } from './messages/message.ts';
import { mlflowProtocol } from './protocol.ts';

/** Declares one operation of MLflow's REST API, from which its routes are made. */
export interface MlflowEndpoint<Message> {
  readonly methods: readonly HttpMethod[];
  /** Below `/api/2.0/`: `mlflow/runs/create`. Path parameters become members of the message. */
  readonly path: string;
  readonly summary: string;
  readonly role: Role | 'anonymous';
  readonly message: z.ZodType<Message>;
  readonly maxBodyBytes?: number;
  readonly timeoutMs?: number;
  /** Returns the answer, `{}` when there is nothing to say. */
  readonly handle: (
    message: Message,
    request: RouteRequest<unknown, unknown, unknown>,
  ) => Promise<JsonObject>;
}

/** Fits a log-batch with 1,000 metrics under long keys and 100 params of 6,000 multi-byte characters. */
const defaultMaxBodyBytes = 8 * 2 ** 20;

/** Makes the routes of an endpoint, one for each method. */
export function defineEndpoint<Message>(endpoint: MlflowEndpoint<Message>): readonly Route[] {
  const { path, summary, role, message, handle, timeoutMs } = endpoint;
  return endpoint.methods.map((method) => {
    const hasBody = method !== 'GET';
    return defineRoute({
      name: `mlflow ${method} ${path}`,
      method,
      path,
      summary,
      role,
      protocol: mlflowProtocol,
      ...(path.includes('{') ? { params: z.record(z.string(), z.string()) } : {}),
      ...(hasBody ? { body: z.string(), bodyIsText: true } : {}),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      maxBodyBytes: endpoint.maxBodyBytes ?? defaultMaxBodyBytes,
      returns: { status: 200, description: 'The answer, as MLflow documents it.' },
      handle: async (request) => {
        const { params, url, body } = request;
        const given = hasBody ? readBody(request, method, body) : url.searchParams;
        const read = readMessage(message, given, params, hasBody ? body : undefined);
        return { json: await handle(read, request) };
      },
    });
  });
}

/**
 * Reads a body as MLflow does: requires a content type of POST and PUT only, reads an empty body as an empty message,
 * and decodes JSON that was encoded twice, as its oldest clients do. Unlike MLflow, refuses broken JSON instead of
 * reading it as an empty message.
 *
 * @throws INVALID_ARGUMENT
 */
function readBody(
  { headers }: Pick<RouteRequest<unknown, unknown, unknown>, 'headers'>,
  method: HttpMethod,
  body: string,
): unknown {
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if ((method === 'POST' || method === 'PUT') && type !== 'application/json') {
    const reason = type
      ? "Content-Type must be one of ['application/json']."
      : 'Content-Type header is missing.';
    throw new AppError('INVALID_ARGUMENT', `Bad Request. ${reason}`);
  }
  if (body === '') return {};
  const parsed = parseJson(body) ?? {};
  return typeof parsed === 'string' ? parseJson(parsed) : parsed;
}
