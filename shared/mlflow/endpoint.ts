import { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import type { Role } from '../http/principal.ts';
import { defineRoute, type HttpMethod, type Route, type RouteRequest } from '../http/route.ts';
import { readMessage } from './message.ts';
import { mlflowProtocol } from './protocol.ts';

/** One operation of MLflow's REST API, declared: from it come the routes under each prefix. */
export interface MlflowEndpoint<Message> {
  readonly methods: readonly HttpMethod[];
  /** After `/api/2.0/`: `mlflow/runs/create`. Its parameters become members of the message. */
  readonly path: string;
  readonly summary: string;
  readonly role: Role | 'anonymous';
  readonly message: z.ZodType<Message>;
  readonly maxBodyBytes?: number;
  readonly timeoutMs?: number;
  /** The answer; `{}` for nothing. */
  readonly handle: (message: Message, request: RouteRequest<unknown, unknown, unknown>) => Promise<JsonObject>;
}

/** A log-batch with 1,000 metrics under long keys, 100 params of 6,000 characters, each of several bytes. */
const defaultMaxBodyBytes = 8 * 2 ** 20;

/** The routes of an endpoint, one for each of its methods. */
export function defineEndpoint<Message>(endpoint: MlflowEndpoint<Message>): readonly Route[] {
  const { path, summary, role, message, handle, timeoutMs } = endpoint;
  return endpoint.methods.map((method) => {
    const hasBody = method !== 'GET';
    return defineRoute({
      name: `mlflow ${method} ${path}`,
      method,
      path,
      summary,
      authLevel: 'anonymous',
      role,
      protocol: mlflowProtocol,
      ...(path.includes('{') ? { params: z.record(z.string(), z.string()) } : {}),
      ...(hasBody ? { body: z.unknown(), bodyIsOptional: true } : {}),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      maxBodyBytes: endpoint.maxBodyBytes ?? defaultMaxBodyBytes,
      returns: { status: 200, description: 'The answer, as MLflow documents it.' },
      handle: async (request) => {
        const { params, url, body } = request as RouteRequest<Record<string, string>, unknown, unknown>;
        const given = hasBody ? body : url.searchParams;
        return { json: await handle(readMessage(message, given, params), request) };
      },
    });
  });
}
