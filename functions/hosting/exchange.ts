import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** One request in the worker's own HTTP server, below the SDK. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Longer than any host keeps an idle connection, so that the host closes it and never sends into a closed one. */
const keepAliveMs = 130_000;

const exchanges = new Map<string, Exchange>();
const adjustedServers = new WeakSet<Server>();

/**
 * With `enableHttpStream` the SDK serves requests by a server of its own and hides it. Back-pressure, a cut in the
 * middle of an answer and callers that go away need the response itself; Node tells of every one that begins.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html#http
 */
subscribe('http.server.request.start', (message) => {
  const { request, response, server } = message as Exchange & { readonly server: Server };
  const invocationId = request.headers['x-ms-invocation-id'];
  if (typeof invocationId !== 'string') return;
  if (!adjustedServers.has(server)) {
    adjustedServers.add(server);
    // Node's default cuts every upload that takes more than five minutes; ours are bounded by standing still.
    server.requestTimeout = 0;
    server.keepAliveTimeout = keepAliveMs;
  }
  exchanges.set(invocationId, { request, response });
  response.once('close', () => exchanges.delete(invocationId));
});

/** @returns undefined once the caller has gone, and under a host that hands over whole requests */
export function findExchange(invocationId: string): Exchange | undefined {
  return exchanges.get(invocationId);
}
