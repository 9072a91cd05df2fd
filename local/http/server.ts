import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError } from '../../shared/core/errors.ts';
import type { Logger } from '../../shared/core/logger.ts';
import { sendStatus } from './response.ts';
import { AnswerCutError } from './streaming/worker-server.ts';

export interface HttpServerOptions {
  readonly port: number;
  readonly responseTimeoutMs: number;
  readonly log: Logger;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface RunningHttpServer {
  readonly url: string;
  /** Takes no more connections and waits for the answers under way, `drainMs` at most. */
  stop(drainMs: number): Promise<void>;
}

/** A connection on which nothing moves is closed; longer than an answer may take to begin. */
const idleMs = 300_000;

/**
 * A server on 127.0.0.1. Every failure of a handler is a bare 500: what went wrong is for the log, never for the
 * client. An answer that has not begun after `responseTimeoutMs` is 504, as Azure's load balancer would cut it off.
 *
 * @throws AppError ALREADY_EXISTS when the port is taken
 */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const { port, responseTimeoutMs, log, handle } = options;
  const waiting = new Map<ServerResponse, number>();
  // Not Node's limit of five minutes for a whole request: a large upload takes as long as it takes, while it moves.
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 0 }, (request, response) => {
    waiting.set(response, performance.now() + responseTimeoutMs);
    response.once('close', () => waiting.delete(response));
    handle(request, response).catch((error: unknown) => {
      const { url } = request;
      if (error instanceof AnswerCutError)
        log.log('error', 'An HTTP answer broke off', { url, error: describe(error.cause) });
      else if (!response.destroyed)
        log.log('error', 'An HTTP request failed', { url, error: describe(error) });
      sendStatus(response, 500);
    });
  });
  server.on('clientError', answerBrokenRequest);
  server.setTimeout(idleMs);

  // One sweep over what is under way, rather than a timer for each request.
  const sweep = setInterval(
    () => {
      const now = performance.now();
      for (const [response, deadline] of waiting) {
        if (now < deadline || response.headersSent) continue;
        waiting.delete(response);
        log.log('warn', 'An HTTP function gave no answer in time', {
          url: response.req.url,
          responseTimeoutMs,
        });
        response.setHeader('connection', 'close');
        sendStatus(response, 504);
      }
    },
    Math.min(1000, Math.max(10, responseTimeoutMs / 4)),
  );
  sweep.unref();

  await listen(server, port).catch((error: unknown) => {
    clearInterval(sweep);
    throw error;
  });
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${boundPort}`,
    async stop(drainMs) {
      clearInterval(sweep);
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      for (const response of waiting.keys())
        if (!response.headersSent) response.setHeader('connection', 'close');
      const forced = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(forced);
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new AppError(
              'ALREADY_EXISTS',
              `Port ${port} is in use. Give another with --port.`,
              { port },
              error,
            )
          : error,
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** What the parser cannot read still gets an answer, where there is anyone to take it. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
