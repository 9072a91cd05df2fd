import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { textOf } from '../settings/host-json.ts';
import type { HostContext, HostExtension, RunningExtension } from '../host-context.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import type { TypedData } from '../worker/typed-data.ts';
import { createAdminEndpoint } from './admin.ts';
import type { HostEndpoint } from './host-endpoints.ts';
import { opensFunction, type AuthLevel } from './keys.ts';
import { readBody, readKey, readTarget, toHttpData, type RequestTarget } from './request.ts';
import { sendHttpData, sendStatus } from './response.ts';
import { createRouter, type RouteMatch, type Router } from './router.ts';
import { startHttpServer } from './server.ts';
import { forwardToWorker, type WorkerServer } from './stream.ts';

const drainMs = 10_000;
/** Kestrel's limit in the real host; FUNCTIONS_REQUEST_BODY_SIZE_LIMIT raises it. */
const defaultBodyLimitBytes = 104_857_600;

const authLevels = ['anonymous', 'function', 'admin'] as const;

interface HttpFunction {
  readonly fn: FunctionEntry;
  readonly authLevel: AuthLevel;
}

export interface RunningHttp extends RunningExtension {
  readonly url: string;
}

/** HTTP triggers and `http` outputs. It starts first, and answers 503 until the others are ready. */
export const httpExtension = {
  name: 'http',
  triggerTypes: ['httpTrigger'],
  outputTypes: ['http'],
  check({ trigger, returns }: FunctionEntry) {
    const problems: string[] = [];
    if (!authLevels.some((level) => level === readAuthLevel(trigger)))
      problems.push(`authLevel "${String(trigger['authLevel'])}" is not one of ${authLevels.join(', ')}`);
    if (returns?.type !== 'http') problems.push('an HTTP function must return an "http" output');
    return problems;
  },
  async start(context: HostContext, functions: readonly FunctionEntry[]): Promise<RunningHttp> {
    context.endpoints.mount(createAdminEndpoint(context));
    const router = createRouter(context.hostJson.routePrefix, functions.map(toRoute));
    const bodyLimitBytes = Number(
      context.settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? defaultBodyLimitBytes,
    );
    const worker = findWorkerServer(context);
    const front = new HttpFront(context, router, bodyLimitBytes, worker);
    const { port, responseTimeoutMs } = context.tuning;
    const server = await startHttpServer({
      port,
      responseTimeoutMs,
      log: context.log,
      handle: (request, response) => front.handle(request, response),
    });
    return {
      url: server.url,
      begin() {
        front.fallbackHost = new URL(server.url).host;
        front.isReady = true;
      },
      async stop() {
        await server.stop(drainMs);
        worker?.agent.destroy();
      },
    };
  },
} satisfies HostExtension;

class HttpFront {
  isReady = false;
  fallbackHost = '127.0.0.1';
  readonly #context: HostContext;
  readonly #router: Router<HttpFunction>;
  readonly #bodyLimitBytes: number;
  readonly #worker: WorkerServer | undefined;
  #nextTurn: Promise<void> | undefined;

  constructor(
    context: HostContext,
    router: Router<HttpFunction>,
    bodyLimitBytes: number,
    worker: WorkerServer | undefined,
  ) {
    this.#context = context;
    this.#router = router;
    this.#bodyLimitBytes = bodyLimitBytes;
    this.#worker = worker;
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
    if (Number(request.headers['content-length'] ?? 0) > this.#bodyLimitBytes) return refuseBody(response);
    if (this.#worker) return this.#callStreaming(this.#worker, fn, match, request, response, target);

    const body = await readBody(request, this.#bodyLimitBytes);
    if (body === 'tooLarge') return refuseBody(response);
    const trigger = toHttpData(request, target, match.params, body);
    const reply = await this.#context.dispatch(fn, {
      trigger,
      metadata: noMetadata,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    await this.#turn();
    sendHttpData(response, reply);
  }

  /**
   * Waits for the end of the event loop's turn, together with every other answer that is ready. Written in one go,
   * answers wake the client once, not once each; under load that is a quarter of the host's time.
   */
  #turn(): Promise<void> {
    return (this.#nextTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#nextTurn = undefined;
        resolve();
      });
    }));
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
    const options = {
      host: target.host,
      target: `${target.path}${target.search}`,
      invocationId,
      bodyLimitBytes: this.#bodyLimitBytes,
    };
    await forwardToWorker(worker, request, response, options, () =>
      this.#context.dispatch(fn, {
        trigger: { http: {} },
        metadata: toStreamingMetadata(request, target, params),
        timeoutMs: Number.POSITIVE_INFINITY,
        invocationId,
      }),
    );
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
    if (body === 'tooLarge') return refuseBody(response);
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

/** For a streamed request the worker reads the route's parameters and the headers from the trigger's metadata. */
function toStreamingMetadata(
  request: IncomingMessage,
  target: RequestTarget,
  params: Readonly<Record<string, string>>,
): Readonly<Record<string, TypedData>> {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : value,
    ]),
  );
  return {
    Headers: { json: JSON.stringify(headers) },
    Query: { json: JSON.stringify(Object.fromEntries(new URLSearchParams(target.search))) },
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [name, { string: value }])),
  };
}

/** The connection stays open: Node reads on and drops the rest, so that the client lives to see the answer. */
function refuseBody(response: ServerResponse): void {
  sendStatus(response, 413);
}

function toRoute(fn: FunctionEntry) {
  const { trigger } = fn;
  const methods = trigger['methods'] as readonly string[] | undefined;
  return {
    name: fn.name,
    // As in the real host, a function without a route is found by its name.
    template: (trigger['route'] as string | undefined) || fn.name,
    methods: methods?.map((method) => method.toUpperCase()),
    target: { fn, authLevel: readAuthLevel(trigger) as AuthLevel },
  };
}

function readAuthLevel(trigger: FunctionEntry['trigger']): string {
  return textOf(trigger['authLevel'], 'function').toLowerCase();
}

function findWorkerServer({ capabilities }: HostContext): WorkerServer | undefined {
  const uri = capabilities['HttpUri'];
  return uri
    ? { port: Number(new URL(uri).port), agent: new Agent({ keepAlive: true, maxSockets: 256 }) }
    : undefined;
}
