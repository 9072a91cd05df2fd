import { request as sendRequest, type Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { isHopByHop, sendStatus } from './response.ts';

/** The worker's own HTTP server, for apps that set `enableHttpStream`. */
export interface WorkerServer {
  readonly port: number;
  readonly agent: Agent;
}

/**
 * Passes a request on to the worker's server and its answer back, as bytes, with back-pressure both ways. The worker
 * pairs the request with the invocation by the header `x-ms-invocation-id`.
 *
 * `invoke` runs at the same time. When it fails before the answer began, the answer is 500; when it fails in the
 * middle, the connection is cut, so that a client cannot take half an answer for a whole one.
 *
 * @see https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script/Http/DefaultHttpProxyService.cs
 */
export async function forwardToWorker(
  worker: WorkerServer,
  request: IncomingMessage,
  response: ServerResponse,
  options: {
    readonly host: string;
    readonly target: string;
    readonly invocationId: string;
    readonly bodyLimitBytes: number;
  },
  invoke: () => Promise<unknown>,
): Promise<void> {
  const { host, target, invocationId, bodyLimitBytes } = options;
  const forward = sendRequest({
    host: '127.0.0.1',
    port: worker.port,
    agent: worker.agent,
    method: request.method,
    path: target,
    headers: {
      ...endToEnd(request.headers),
      // Framing must follow the client's: Node frames no body of its own on a GET.
      ...(request.headers['transfer-encoding'] && { 'transfer-encoding': 'chunked' }),
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': host,
      'x-forwarded-proto': 'http',
    },
  });
  response.once('close', () => {
    if (!response.writableFinished) forward.destroy(new Error('The client has gone.'));
  });
  // It can fail again after the answer, when the rest of the body finds the worker's connection closed.
  forward.on('error', () => {});

  let isTooLarge = false;
  let sizeBytes = 0;
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  const counter = hasBody
    ? new Transform({
        transform(chunk: Buffer, _encoding, done) {
          sizeBytes += chunk.length;
          if (sizeBytes <= bodyLimitBytes) return done(null, chunk);
          isTooLarge = true;
          forward.destroy(new Error('The body is too large.'));
          done();
        },
      })
    : undefined;
  // Not `pipeline`: it would destroy the request, and with it the connection that the answer needs.
  if (counter) request.pipe(counter).pipe(forward);
  else forward.end();
  const download = new Promise<IncomingMessage>((resolve, reject) => {
    forward.once('response', resolve);
    forward.once('error', reject);
  }).then((answer) => {
    response.writeHead(answer.statusCode ?? 500, endToEnd(answer.headers));
    return passOn(answer, response);
  });
  const invocation = invoke();
  invocation.catch((error: Error) => forward.destroy(error));
  const [downloaded, invoked] = await Promise.allSettled([download, invocation]);
  if (!forward.writableFinished) {
    // The answer is whole, so nobody needs the rest: the client gets rid of it here, the worker's connection ends.
    if (counter) request.unpipe(counter);
    request.resume();
    forward.destroy();
  }
  if (isTooLarge && !response.headersSent) return sendStatus(response, 413);
  // The abort has cut an answer that had begun.
  if (invoked.status === 'rejected') throw invoked.reason;
  if (downloaded.status === 'rejected' && !response.destroyed) throw downloaded.reason;
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
      else reject(new Error('The client has gone.'));
    });
    answer.pipe(response);
  });
}

function endToEnd(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !isHopByHop(name) && name !== 'expect' && name !== 'x-ms-invocation-id')
      kept[name] = value;
  return kept;
}
