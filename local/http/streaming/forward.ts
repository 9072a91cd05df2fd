import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as sendRequest,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { Transform } from 'node:stream';
import { sendStatus } from '../response.ts';
import {
  AnswerCutError,
  hasBody,
  isForClient,
  toWorkerHeaders,
  type WorkerCall,
  type WorkerServer,
} from './worker-server.ts';

/** Delivers requests to a worker's server over HTTP, as the real host does: for a worker in another process. */
export function forwardTo(port: number): WorkerServer {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const endGuard = guardPort(port);
  return {
    deliver: (request, response, call) => forward({ port, agent }, request, response, call),
    close() {
      agent.destroy();
      endGuard();
    },
  };
}

async function forward(
  worker: { readonly port: number; readonly agent: Agent },
  request: IncomingMessage,
  response: ServerResponse,
  call: WorkerCall,
): Promise<void> {
  const forwarded = sendRequest({
    host: '127.0.0.1',
    port: worker.port,
    agent: worker.agent,
    method: request.method,
    path: call.target,
    headers: toWorkerHeaders(request, call),
  });
  let hasLeft = false;
  response.once('close', () => {
    hasLeft = !response.writableFinished && !forwarded.destroyed;
    if (hasLeft) forwarded.destroy(new Error('The client closed the connection.'));
  });
  // It can fail again after the answer, when the rest of the body finds the worker's connection closed.
  forwarded.on('error', () => {});

  let isTooLarge = false;
  let sizeBytes = 0;
  const counter = hasBody(request)
    ? new Transform({
        transform(chunk: Buffer, _encoding, done) {
          sizeBytes += chunk.length;
          if (sizeBytes <= call.bodyLimitBytes) return done(null, chunk);
          isTooLarge = true;
          forwarded.destroy(new Error('The body is too large.'));
          done();
        },
      })
    : undefined;
  // Not `pipeline`: it would destroy the request, and with it the connection that the answer needs.
  if (counter) request.pipe(counter).pipe(forwarded);
  else forwarded.end();
  const download = new Promise<IncomingMessage>((resolve, reject) => {
    forwarded.once('response', resolve);
    forwarded.once('error', reject);
  }).then((answer) => {
    response.writeHead(answer.statusCode ?? 500, toClientHeaders(answer.headers));
    return passOn(answer, response);
  });
  const invocation = call.invoke();
  invocation.catch((error: Error) => forwarded.destroy(error));
  const [downloaded, invoked] = await Promise.allSettled([download, invocation]);
  if (!forwarded.writableFinished) {
    // The answer is whole and nothing reads the rest: drop it here, and end the connection to the worker.
    if (counter) request.unpipe(counter);
    request.resume();
    forwarded.destroy();
  }
  if (isTooLarge && !response.headersSent) return sendStatus(response, 413);
  const outcome = invoked.status === 'rejected' ? invoked : downloaded;
  if (hasLeft || outcome.status === 'fulfilled') return;
  const isCut = response.destroyed && !response.writableFinished;
  throw isCut ? new AnswerCutError(outcome.reason) : outcome.reason;
}

function toClientHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isForClient(name)));
}

/** As `pipeline` does, without what that costs each of many small answers. */
function passOn(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    answer.once('error', (error) => {
      response.destroy();
      reject(error);
    });
    response.once('close', () => {
      if (response.writableFinished) resolve();
      else reject(new Error('The client closed the connection.'));
    });
    answer.pipe(response);
  });
}

/**
 * Refuses connections from other machines to a server in this process: the SDK's server listens on every address,
 * and this host promises to be on 127.0.0.1 alone.
 *
 * @returns a function that ends the guard
 */
function guardPort(port: number): () => void {
  const guard = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === port && !isLoopback(socket.remoteAddress)) socket.destroy();
  };
  subscribe('net.server.socket', guard);
  return () => unsubscribe('net.server.socket', guard);
}

function isLoopback(address = ''): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
