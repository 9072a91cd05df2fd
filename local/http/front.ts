import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HostContext } from '../host-context.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import type { TypedData } from '../worker/typed-data.ts';
import type { HostEndpoint } from './host-endpoints.ts';
import { opensFunction, type AuthLevel } from './keys.ts';
import { readBody, readKey, readTarget, toHttpData, type RequestTarget } from './request.ts';
import { sendHttpData, sendStatus } from './response.ts';
import type { RouteMatch, Router } from './router.ts';
import type { TurnEnd } from './turn-end.ts';
import type { WorkerServer } from './streaming/worker-server.ts';

interface HttpFunction {
  readonly fn: FunctionEntry;
  readonly authLevel: AuthLevel;
}

/** Serves a request: finds the endpoint or route, checks the key, reads the body, calls the function, answers. */
export class HttpFront {
  isReady = false;
  fallbackHost = '127.0.0.1';
  readonly #context: HostContext;
  readonly #router: Router<HttpFunction>;
  readonly #bodyLimitBytes: number;
  readonly #worker: WorkerServer | undefined;
  readonly #turnEnd: TurnEnd;

  constructor(
    context: HostContext,
    router: Router<HttpFunction>,
    bodyLimitBytes: number,
    worker: WorkerServer | undefined,
    turnEnd: TurnEnd,
  ) {
    this.#context = context;
    this.#router = router;
    this.#bodyLimitBytes = bodyLimitBytes;
    this.#worker = worker;
    this.#turnEnd = turnEnd;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.isReady) return sendStatus(response, 503);
    const target = readTarget(request, this.fallbackHost);
    if (!target) return sendStatus(response, 400);
    const endpoint = this.#context.endpoints.find(target.path);
    if (endpoint) return this.#serveEndpoint(endpoint, request, response, target);

    let match: RouteMatch<HttpFunction> | undefined;
    try {
      match = this.#router.match(request.method!, target.path);
    } catch (error) {
      if (error instanceof URIError) return sendStatus(response, 400);
      throw error;
    }
    if (!match) return sendStatus(response, 404);
    const { fn, authLevel } = match.target;
    if (authLevel !== 'anonymous' && !opensFunction(this.#context.keys, authLevel, readKey(request, target)))
      return sendStatus(response, 401);
    // Node discards the rest of the body and keeps the connection, so that the client can read the answer.
    if (Number(request.headers['content-length'] ?? 0) > this.#bodyLimitBytes)
      return sendStatus(response, 413);
    if (this.#worker) return this.#callStreaming(this.#worker, fn, match, request, response, target);

    const body = await readBody(request, this.#bodyLimitBytes);
    if (body === 'tooLarge') return sendStatus(response, 413);
    const trigger = toHttpData(request, target, match.params, body);
    const reply = await this.#context.dispatch(fn, {
      trigger,
      metadata: noMetadata,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    await this.#turnEnd.wait();
    sendHttpData(response, reply);
  }

  async #callStreaming(
    worker: WorkerServer,
    fn: FunctionEntry,
    { params }: RouteMatch<HttpFunction>,
    request: IncomingMessage,
    response: ServerResponse,
    target: RequestTarget,
  ): Promise<void> {
    const invocationId = this.#context.ids.uuid();
    await worker.deliver(request, response, {
      invocationId,
      host: target.host,
      target: `${target.path}${target.search}`,
      bodyLimitBytes: this.#bodyLimitBytes,
      invoke: () =>
        this.#context.dispatch(fn, {
          trigger: { http: {} },
          metadata: toStreamingMetadata(request, target, params),
          timeoutMs: Number.POSITIVE_INFINITY,
          invocationId,
        }),
    });
  }

  async #serveEndpoint(
    endpoint: HostEndpoint,
    request: IncomingMessage,
    response: ServerResponse,
    target: RequestTarget,
  ): Promise<void> {
    const path = target.path.slice(endpoint.prefix.length);
    if (!endpoint.isOpenedBy(this.#context.keys, readKey(request, target), path))
      return sendStatus(response, 401);
    const body = await readBody(request, this.#bodyLimitBytes);
    if (body === 'tooLarge') return sendStatus(response, 413);
    const reply = await endpoint.handle({
      method: request.method!,
      path,
      query: new URLSearchParams(target.search),
      body: body ?? Buffer.alloc(0),
    });
    response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) });
    response.end(reply.body);
  }
}

const noMetadata: Readonly<Record<string, TypedData>> = Object.freeze({});

/** The trigger's metadata, from which the worker reads the parameters and headers of a streamed request. */
function toStreamingMetadata(
  request: IncomingMessage,
  target: RequestTarget,
  params: Readonly<Record<string, string>>,
): Readonly<Record<string, TypedData>> {
  const headers: Record<string, string> = {};
  for (const name in request.headers) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(',');
  }
  const query =
    target.search === '' ? '{}' : JSON.stringify(Object.fromEntries(new URLSearchParams(target.search)));
  const metadata: Record<string, TypedData> = {
    Headers: { json: JSON.stringify(headers) },
    Query: { json: query },
  };
  for (const name in params) metadata[name] = { string: params[name]! };
  return metadata;
}
