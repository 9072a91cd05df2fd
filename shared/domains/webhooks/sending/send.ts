import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { parseRetryAfterMs } from '../../../core/retry-after.ts';
import { isAppError } from '../../../core/errors.ts';
import { createLookup, readTarget, type Resolve, type TargetPolicy } from './target.ts';

/** The outcome of one attempt. */
export type SendOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: string;
      readonly retryAfterMs?: number;
    }
  /** No connection, or no answer in time: transient. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The target is not allowed: final. */
  | { readonly kind: 'forbidden'; readonly reason: string };

export interface Sender {
  /** Never throws. The reason contains only the host of the URL, which can be secret. */
  send(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<SendOutcome>;
}

export interface SenderDeps {
  readonly resolve: Resolve;
}

export interface SenderOptions {
  readonly policy: TargetPolicy;
  /** Covers name resolution, connection and answer. */
  readonly timeoutMs: number;
}

/** The rest of an answer is not read. */
const maxAnswerBytes = 16 * 1024;

/**
 * POSTs over fresh connections to checked addresses, without proxies, redirects or cookies.
 */
export function createSender({ resolve }: SenderDeps, { policy, timeoutMs }: SenderOptions): Sender {
  const lookup = createLookup(policy, resolve);
  return {
    async send(text, headers, body) {
      // Aborts instead of racing: an answer that began in time counts, though its body is cut off.
      const timeout = new AbortController();
      const timer = setTimeout(() => timeout.abort(), timeoutMs);
      try {
        const url = readTarget(text, policy);
        const request = url.protocol === 'https:' ? requestHttps : requestHttp;
        const call = request(url, {
          method: 'POST',
          agent: false,
          lookup,
          signal: timeout.signal,
          headers: {
            ...headers,
            'Content-Length': String(Buffer.byteLength(body)),
            'User-Agent': 'slipway-webhooks',
          },
        });
        return await exchange(call, body);
      } catch (error) {
        if (timeout.signal.aborted) return { kind: 'failed', reason: `no answer within ${timeoutMs} ms` };
        if (isAppError(error)) return { kind: 'forbidden', reason: error.message };
        return { kind: 'failed', reason: describeFailure(error) };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function exchange(call: ClientRequest, body: string): Promise<SendOutcome> {
  const answer = await new Promise<IncomingMessage>((answered, failed) => {
    call.once('response', answered).once('error', failed);
    call.end(body);
  });
  // From here on the answer emits the error, and the request repeats it.
  call.on('error', () => answer.destroy());
  const text = await readStart(answer);
  const retryAfterMs = parseRetryAfterMs(answer.headers['retry-after']);
  return {
    kind: 'answered',
    status: answer.statusCode ?? 0,
    body: text,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Reads the start of an answer. If it breaks off, the status still counts. */
async function readStart(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes >= maxAnswerBytes) break;
    }
  } catch {
    // Cut off or out of time: return what arrived.
  } finally {
    answer.destroy();
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8').toWellFormed();
}

/** Node's messages can contain the whole URL; its codes do not. */
function describeFailure(error: unknown): string {
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === 'string' ? `the connection failed: ${code}` : 'the connection failed';
}
