import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { parseRetryAfterMs } from '../../core/retry-after.ts';
import { isAppError } from '../../core/errors.ts';
import { createLookup, readTarget, type Resolve, type TargetPolicy } from './target.ts';

/** What became of one attempt. */
export type SendOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: string;
      readonly retryAfterMs?: number;
    }
  /** Not reached, or no answer in time: may pass. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The address is not allowed: trying again cannot help. */
  | { readonly kind: 'forbidden'; readonly reason: string };

export interface Sender {
  /** Never throws. The reason holds nothing of the address but its host. */
  send(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<SendOutcome>;
}

export interface SenderOptions {
  readonly policy: TargetPolicy;
  /** For the whole attempt: name, connection, answer. */
  readonly timeoutMs: number;
  /** The system's when left out. */
  readonly resolve?: Resolve;
}

/** What is kept of an answer; the rest is not read. */
const maxAnswerBytes = 16 * 1024;

/**
 * POSTs over connections of its own: no proxy, no redirects, no cookies, no connection that somebody else checked.
 */
export function createSender(options: SenderOptions): Sender {
  const { policy, timeoutMs, resolve } = options;
  const lookup = createLookup(policy, resolve);
  return {
    async send(text, headers, body) {
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
  // The answer has its own error event from here on; the request's repeats it.
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

/** The beginning of an answer; one that breaks off has been given all the same: its status is what counts. */
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
    // Cut off, or out of time: what came is what there is.
  } finally {
    answer.destroy();
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8').toWellFormed();
}

/** Node's messages can hold the whole address; its codes do not. */
function describeFailure(error: unknown): string {
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === 'string' ? `the connection failed: ${code}` : 'the connection failed';
}
