import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';

/** Node publishes each server here before it has an address. */
const listenChannel = 'tracing:net.server.listen:asyncStart';

/** Runs `start` and returns its result with the HTTP servers of this process that began to listen meanwhile. */
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
 * Finds the server that listens at `uri` and takes it off the network: the host hands it requests in this process.
 *
 * @returns undefined when it is not one of `servers`
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
