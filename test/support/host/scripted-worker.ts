import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Server, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHttpServer } from '../../../local/http/server.ts';
import { forwardTo } from '../../../local/http/streaming/forward.ts';
import { handOverTo } from '../../../local/http/streaming/hand-over.ts';
import type { WorkerServer } from '../../../local/http/streaming/worker-server.ts';
import { TurnEnd } from '../../../local/http/turn-end.ts';
import { patienceMs } from '../hang-guard.ts';
import { parseAnswers, type RawAnswer } from './raw-answers.ts';

/** A step of a worker's script for one request. */
export type Step =
  | { readonly op: 'status'; readonly status: number }
  | { readonly op: 'header'; readonly name: string; readonly value: string | readonly string[] }
  /** `break` leaves a `for await` loop, which destroys the request. */
  | { readonly op: 'read'; readonly how: 'all' | 'first' | 'break' }
  | { readonly op: 'write'; readonly text: string; readonly times?: number }
  | { readonly op: 'wait'; readonly ms: number }
  /** Waits until the client has received something. */
  | { readonly op: 'seen' }
  /** Discards the rest of the body, as the platform does after its answer. */
  | { readonly op: 'drop' }
  | { readonly op: 'end' }
  | { readonly op: 'destroy'; readonly what: 'request' | 'response' }
  | { readonly op: 'throw' };

/** A request as the worker saw it. */
interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body?: { readonly sizeBytes: number; readonly sha256: string };
}

export interface Exchange {
  readonly answers: readonly RawAnswer[];
  /** The first request. When it is cut, the arrival of a second one on the same connection is a race. */
  readonly seen: Seen | undefined;
  readonly logged: readonly string[];
}

export interface ScriptedHost {
  /** Sends raw requests over one connection and reads until the server closes it. */
  exchange(requests: string | readonly (string | Buffer)[]): Promise<Exchange>;
  stop(): Promise<void>;
}

type Response = Writable & { statusCode: number; setHeader(name: string, value: unknown): unknown };

/** Starts the host's HTTP server with a worker that runs the script in the query of each request. */
export async function startScriptedHost(
  transport: 'hand over' | 'forward',
  bodyLimitBytes = 2 ** 20,
): Promise<ScriptedHost> {
  let seen: Seen[] = [];
  let logged: string[] = [];
  let received = Promise.withResolvers<void>();
  const invocations = new Map<string, PromiseWithResolvers<void>>();
  const server = new Server((request, response: Response) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    run(request, response).then(resolve, reject);
    promise.catch(() => {});
    invocations.get(String(request.headers['x-ms-invocation-id']))?.resolve(promise);
  });

  async function run(request: IncomingMessage, response: Response): Promise<void> {
    const { method, url, headers } = request;
    const index = seen.push({ method, url, headers: comparable(headers) }) - 1;
    response.setHeader('x-ms-invocation-id', headers['x-ms-invocation-id']);
    for (const step of readScript(url ?? '')) {
      if (step.op === 'status') response.statusCode = step.status;
      else if (step.op === 'header') response.setHeader(step.name, step.value);
      else if (step.op === 'write') response.write(step.text.repeat(step.times ?? 1));
      else if (step.op === 'wait') await sleep(step.ms);
      else if (step.op === 'seen') await received.promise;
      else if (step.op === 'drop') request.resume();
      else if (step.op === 'end') response.end();
      else if (step.op === 'destroy') (step.what === 'request' ? request : response).destroy();
      else if (step.op === 'throw') throw new Error('the script fails');
      else {
        const body = await readBody(request, step.how);
        if (step.how === 'all') seen[index] = { ...seen[index]!, body };
      }
    }
  }

  const worker = await startWorker(transport, server);
  let nextId = 0;
  const front = await startHttpServer(
    {
      log: { log: (_level, message) => void logged.push(message) },
      handle(request, response) {
        const invocationId = String(nextId++);
        const invocation = Promise.withResolvers<void>();
        invocations.set(invocationId, invocation);
        const call = { invocationId, host: 'a', target: request.url!, bodyLimitBytes };
        return worker.deliver(request, response, { ...call, invoke: () => invocation.promise });
      },
    },
    { port: 0, responseTimeoutMs: patienceMs },
  );
  return {
    async exchange(requests) {
      seen = [];
      logged = [];
      received = Promise.withResolvers();
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(front.url).port) });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      await once(socket, 'connect');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        received.resolve();
      });
      socket.on('error', () => {});
      for (const part of [requests].flat()) {
        socket.write(part);
        for (let waitedMs = 0; seen.length === 0 && waitedMs < 100; waitedMs += 1) await sleep(1);
      }
      await closed;
      return { answers: parseAnswers(Buffer.concat(chunks), methodsOf(requests)), seen: seen[0], logged };
    },
    async stop() {
      await front.stop(0);
      worker.close();
      server.close();
    },
  };
}

/** The request line and headers for a script; `more` are further header lines. */
export function head(method: string, script: readonly Step[], more: readonly string[] = []): string {
  const target = `/script?${encodeURIComponent(JSON.stringify(script))}`;
  return [`${method} ${target} HTTP/1.1`, 'Host: a', ...more, '', ''].join('\r\n');
}

function readScript(url: string): readonly Step[] {
  return JSON.parse(decodeURIComponent(url.slice(url.indexOf('?') + 1))) as readonly Step[];
}

async function startWorker(transport: 'hand over' | 'forward', server: Server): Promise<WorkerServer> {
  if (transport === 'hand over') return handOverTo(server, new TurnEnd());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return forwardTo((server.address() as AddressInfo).port);
}

async function readBody(
  request: IncomingMessage,
  how: 'all' | 'first' | 'break',
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: how === 'break' })) {
    sizeBytes += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
    if (how !== 'all') break;
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** Removes headers of the connection, and the content-length 0 that Node's client adds to a POST. */
function comparable(headers: IncomingMessage['headers']) {
  const { connection: _connection, 'x-ms-invocation-id': _id, ...kept } = headers;
  if (kept['content-length'] === '0') delete kept['content-length'];
  return kept;
}

function methodsOf(requests: string | readonly (string | Buffer)[]): readonly string[] {
  const text = [requests].flat().map(String).join('');
  return [...text.matchAll(/(?:^|\r\n|\n)?([A-Z]+) \/script\?\S* HTTP\/1\.[01]\r\n/g)].map(
    ([, method]) => method!,
  );
}
