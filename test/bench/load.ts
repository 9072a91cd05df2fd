import { connect, type Socket } from 'node:net';

/**
 * Requests a URL over kept-alive connections, one request at a time on each, and counts the answers. The client does as
 * little as possible, so that the server determines the rate.
 *
 * @returns answered requests per second
 * @throws Error when an answer is not 200
 */
export async function measureRequests(
  url: URL,
  options: { readonly connections: number; readonly durationMs: number },
): Promise<number> {
  const request = Buffer.from(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
  let answered = 0;
  const startedAt = performance.now();
  const deadline = startedAt + options.durationMs;
  await Promise.all(
    Array.from({ length: options.connections }, async () => {
      const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
      try {
        await askUntil(socket, request, deadline, () => {
          answered += 1;
        });
      } finally {
        socket.destroy();
      }
    }),
  );
  return answered / ((performance.now() - startedAt) / 1000);
}

function askUntil(socket: Socket, request: Buffer, deadline: number, onAnswer: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let pending = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      const sizeBytes = measureAnswer(pending);
      if (sizeBytes === undefined || pending.length < sizeBytes) return;
      if (!pending.startsWith('HTTP/1.1 200')) return reject(new Error(`answered ${pending.slice(0, 200)}`));
      pending = pending.slice(sizeBytes);
      onAnswer();
      if (performance.now() < deadline) socket.write(request);
      else resolve();
    });
  });
}

/** The length of the first answer, by its content-length or its last chunk; undefined while it is incomplete. */
function measureAnswer(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1];
  if (length !== undefined) return headEnd + 4 + Number(length);
  const end = text.indexOf('0\r\n\r\n', headEnd);
  return end < 0 ? undefined : end + 5;
}
