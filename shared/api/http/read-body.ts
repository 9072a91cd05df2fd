import { AppError } from '../../core/errors.ts';
import type { HeldBytes } from './byte-budget.ts';
import { defaultMaxBodyBytes, type Route } from './route.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

interface RequestBody {
  readonly headers: { get(name: string): string | null };
  /** From `readRequestBytes`, with its errors. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Reads the body of a request as JSON, up to the route's limit.
 *
 * @throws UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, INVALID_ARGUMENT (empty, not UTF-8, not JSON), CANCELLED (it broke
 *   off), RATE_LIMITED (the bodies of other requests use up the budget)
 */
export async function readJson(route: Route, request: RequestBody, held: HeldBytes): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? 'application/json';
  if (type !== 'application/json' && !type.endsWith('+json')) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', `Send application/json, not ${type}.`);
  }
  const text = await readText(route, request, held);
  if (text === '' && route.bodyIsOptional) return {};
  if (text === '') throw new AppError('INVALID_ARGUMENT', 'The request body is empty: send JSON.');
  return parseJson(text);
}

/** @throws as `readJson`, except for the errors of JSON */
export async function readText(route: Route, request: RequestBody, held: HeldBytes): Promise<string> {
  const bytes = await readBody(request, route.maxBodyBytes ?? defaultMaxBodyBytes, held);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new AppError('INVALID_ARGUMENT', 'The request body is not JSON: it is not UTF-8.', {}, cause);
  }
}

/** @throws INVALID_ARGUMENT with the position of the fault */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? cause.message : 'it cannot be read';
    throw new AppError('INVALID_ARGUMENT', `The request body is not JSON: ${reason}.`, {}, cause);
  }
}

async function readBody(request: RequestBody, maxBytes: number, held: HeldBytes): Promise<Buffer> {
  const tooLarge = () =>
    new AppError('PAYLOAD_TOO_LARGE', `The request body exceeds this route's limit of ${maxBytes} bytes.`, {
      maxBytes,
    });
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw tooLarge();
    held.take(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
