import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError } from '../../shared/core/errors.ts';
import type { Logger } from '../../shared/core/logger.ts';
import { describeError } from '../describe-error.ts';
import { sendStatus } from './response.ts';
import { AnswerCutError } from './streaming/worker-server.ts';

export interface HttpServerDeps {
  readonly log: Logger;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface HttpServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly responseTimeoutMs: number;
}

export interface RunningHttpServer {
  readonly url: string;
  /** Accepts no more connections and waits up to `drainMs` for pending answers. */
  stop(drainMs: number): Promise<void>;
}

/** The idle timeout of a connection; longer than an answer may take to begin. */
const idleMs = 300_000;

/**
 * Starts a server on 127.0.0.1. A handler that fails is a bare 500; the reason is logged and never sent. An answer that
 * has not begun after `responseTimeoutMs` is 504, where Azure's load balancer would close the connection.
 *
 * @throws AppError ALREADY_EXISTS when the port is in use
 */
export async function startHttpServer(
  { log, handle }: HttpServerDeps,
  { port, responseTimeoutMs }: HttpServerOptions,
): Promise<RunningHttpServer> {
  const waiting = new Map<ServerResponse, number>();
  // Node's limit of five minutes for a request would end large uploads.
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 0 }, (request, response) => {
    waiting.set(response, performance.now() + responseTimeoutMs);
    response.once('close', () => waiting.delete(response));
    handle(request, response).catch((error: unknown) => {
      const { url } = request;
      if (error instanceof AnswerCutError)
        log.log('error', 'An HTTP answer broke off', { url, error: describeError(error.cause) });
      else if (!response.destroyed)
        log.log('error', 'An HTTP request failed', { url, error: describeError(error) });
      sendStatus(response, 500);
    });
  });
  server.on('clientError', answerBrokenRequest);
  server.setTimeout(idleMs);

  // One sweep over pending requests is cheaper than a timer for each.
  const sweep = setInterval(
    () => {
      const now = performance.now();
      for (const [response, deadline] of waiting) {
        if (now < deadline || response.headersSent) continue;
        waiting.delete(response);
        log.log('warn', 'An HTTP function did not answer in time', {
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
              `Port ${port} is in use. Choose another with --port.`,
              { port },
              error,
            )
          : error,
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** Answers a request that the parser cannot read, if the client is still there. */
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
