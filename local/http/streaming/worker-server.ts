import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { isHopByHop } from '../response.ts';

/** The worker's own HTTP server: an app that sets `enableHttpStream` takes its requests from there. */
export interface WorkerServer {
  /**
   * Delivers a request and sends the answer, both streamed with back-pressure, while `invoke` runs the function. The
   * worker pairs the two by the header `x-ms-invocation-id`.
   *
   * An invocation that fails before its answer begins is answered 500. One that fails in the middle of its answer
   * cuts the connection, so that no client takes half an answer for a whole one.
   *
   * @throws what the invocation threw; AnswerCutError when the answer broke off in the middle
   * @see https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script/Http/DefaultHttpProxyService.cs
   */
  deliver(request: IncomingMessage, response: ServerResponse, call: WorkerCall): Promise<void>;
  close(): void;
}

export interface WorkerCall {
  readonly invocationId: string;
  /** The client's Host. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  readonly bodyLimitBytes: number;
  readonly invoke: () => Promise<unknown>;
}

const invocationHeader = 'x-ms-invocation-id';

/** The answer had begun when it broke off, so the client has lost its connection and no status can say why. */
export class AnswerCutError extends Error {
  constructor(cause: unknown) {
    super('The answer broke off.', { cause });
  }
}

/** The headers of a client's request as the worker's server receives them. */
export function toWorkerHeaders(
  { headers }: IncomingMessage,
  { invocationId, host }: WorkerCall,
): IncomingHttpHeaders {
  const forwarded: IncomingHttpHeaders = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && name !== 'expect' && !isHopByHop(name)) forwarded[name] = value;
  }
  // Framing must follow the client's: Node frames no body of its own on a GET.
  if (headers['transfer-encoding'] !== undefined) forwarded['transfer-encoding'] = 'chunked';
  forwarded[invocationHeader] = invocationId;
  forwarded['x-forwarded-host'] = host;
  forwarded['x-forwarded-proto'] = 'http';
  return forwarded;
}

/** Whether a header of the worker's answer goes on to the client; `name` is lower case. */
export function isForClient(name: string): boolean {
  return name !== invocationHeader && !isHopByHop(name);
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}
