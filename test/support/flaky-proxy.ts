import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy that fails on demand; each fault happens once. */
export interface FlakyProxy {
  readonly port: number;
  /** Connections accepted since the start. */
  readonly connections: number;
  /** Currently open connections of clients. */
  readonly openConnections: number;
  /** The next `times` connections break after they delivered this many bytes to the client, HTTP heads included. */
  cutAfter(bytes: number, times?: number): void;
  /** Forwards requests containing this text, and breaks the connection instead of delivering the answer. */
  loseAnswerTo(text: string, times?: number): void;
  /** From now on no answer arrives, but no connection breaks. */
  hang(): void;
  stop(): Promise<void>;
}

export async function startFlakyProxy(targetPort: number): Promise<FlakyProxy> {
  const sockets = new Set<Socket>();
  let cut: { bytes: number; times: number } | undefined;
  let lose: { text: string; times: number } | undefined;
  let hanging = false;
  let connections = 0;

  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(targetPort, '127.0.0.1');
    let budget: number | undefined;
    let losing = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (data) => {
      if (lose !== undefined && lose.times > 0 && data.includes(lose.text)) {
        lose.times -= 1;
        losing = true;
      }
      if (cut !== undefined && cut.times > 0 && budget === undefined) {
        cut.times -= 1;
        budget = cut.bytes;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (hanging) return;
      if (losing) return end();
      if (budget === undefined || data.length < budget) {
        if (budget !== undefined) budget -= data.length;
        // One write at a time, so that a slow reader holds the server back as it would without a proxy.
        if (!client.write(data)) upstream.pause();
        return;
      }
      client.write(data.subarray(0, budget), end);
    });
    client.on('drain', () => upstream.resume());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size / 2;
    },
    cutAfter(bytes, times = 1) {
      cut = { bytes, times };
    },
    loseAnswerTo(text, times = 1) {
      lose = { text, times };
    },
    hang() {
      hanging = true;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
