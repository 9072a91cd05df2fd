import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';

/** What Node publishes here has the server in it, before that has an address. */
const listenChannel = 'tracing:net.server.listen:asyncStart';

/** Runs `start` and returns, with its result, the HTTP servers of this process that began to listen meanwhile. */
export async function watchServers<T>(
  start: () => Promise<T>,
): Promise<{ readonly result: T; readonly servers: readonly Server[] }> {
  const servers: Server[] = [];
  const watch = (message: unknown): void => {
    const { server } = message as { readonly server?: unknown };
    if (server instanceof Server) servers.push(server);
  };
  subscribe(listenChannel, watch);
  try {
    return { result: await start(), servers };
  } finally {
    unsubscribe(listenChannel, watch);
  }
}

/**
 * Takes the server that listens where `uri` says off the network: its requests are handed to it in this process.
 *
 * @returns undefined when it is none of `servers`
 */
export function takeServer(servers: readonly Server[], uri: string | undefined): Server | undefined {
  if (uri === undefined) return undefined;
  const port = Number(new URL(uri).port);
  const server = servers.find((one) => {
    const address = one.address();
    return address !== null && typeof address === 'object' && address.port === port;
  });
  server?.close();
  return server;
}
