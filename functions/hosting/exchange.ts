import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server } from 'node:http';
import type { Writable } from 'node:stream';

/** A request to the worker's own HTTP server and its response, as Node made them below the SDK. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: Writable;
}

/** Longer than hosts keep idle connections, so that the host closes them and never sends into a closed one. */
const keepAliveMs = 130_000;

const exchanges = new Map<string, Exchange>();
const adjustedServers = new WeakSet<Server>();

/**
 * With `enableHttpStream` the SDK serves requests from an HTTP server that it does not expose. Back-pressure, cutting
 * an answer in the middle and noticing that a caller has left need the response itself. Node publishes each request
 * that begins.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html#http
 */
subscribe('http.server.request.start', (message) => {
  const { request, response, server } = message as Exchange & { readonly server: Server };
  const invocationId = request.headers['x-ms-invocation-id'];
  if (typeof invocationId !== 'string') return;
  if (!adjustedServers.has(server)) {
    adjustedServers.add(server);
    // Node's default ends uploads after five minutes; ours end when nothing arrives.
    server.requestTimeout = 0;
    server.keepAliveTimeout = keepAliveMs;
  }
  exchanges.set(invocationId, { request, response });
  response.once('close', () => exchanges.delete(invocationId));
});

/** @returns undefined once the caller has left, and under a host that delivers whole requests */
export function findExchange(invocationId: string): Exchange | undefined {
  return exchanges.get(invocationId);
}
