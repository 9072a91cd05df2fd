import type { ServerResponse } from 'node:http';
import type { RpcHttp, RpcHttpCookie, TypedData } from '../worker/typed-data.ts';

/** Headers of the connection, which functions cannot set. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export const smallBodyBytes = 16_384;

export function isHopByHop(name: string): boolean {
  return hopByHop.has(name);
}

/** Answers with a status and nothing else, as the real host does. */
export function sendStatus(response: ServerResponse, status: number): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-length': 0 }).end();
}

/**
 * Writes the reply that a function returned; no reply is 204.
 *
 * @throws for a status or header that HTTP does not allow, before anything is sent
 */
export function sendHttpData(response: ServerResponse, data: TypedData | null | undefined): void {
  if (response.headersSent || response.destroyed) return;
  const http: RpcHttp = data?.http ?? { statusCode: '204' };
  const body = toBytes(http.body);
  const status = Number(http.statusCode ?? 200);
  const headers: Record<string, string | number | string[]> = {};
  for (const name in http.headers) if (!hopByHop.has(name)) headers[name] = http.headers[name]!;
  if (http.cookies && http.cookies.length > 0) headers['set-cookie'] = http.cookies.map(serializeCookie);
  const hasBody = status !== 204 && status !== 304;
  if (hasBody && !(response.req.method === 'HEAD' && headers['content-length'] !== undefined))
    headers['content-length'] = body.length;
  response.writeHead(status, headers);
  if (!hasBody || body.length === 0) response.end();
  // As text, Node sends head and body in one write; Latin-1 keeps every byte as it is.
  else if (body.length <= smallBodyBytes)
    response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
  else response.end(body);
}

function toBytes(data: TypedData | null | undefined): Uint8Array {
  if (!data) return new Uint8Array();
  return data.bytes ?? Buffer.from(data.string ?? data.json ?? '');
}

const sameSiteNames = { none: undefined, lax: 'lax', strict: 'strict', explicitNone: 'none' } as const;

function serializeCookie(cookie: RpcHttpCookie): string {
  const sameSite = sameSiteNames[cookie.sameSite ?? 'none'];
  const attributes = [
    cookie.expires && `expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`,
    cookie.maxAge && `max-age=${Math.trunc(cookie.maxAge.value)}`,
    cookie.domain && `domain=${cookie.domain.value}`,
    cookie.path && `path=${cookie.path.value}`,
    cookie.secure?.value && 'secure',
    sameSite && `samesite=${sameSite}`,
    cookie.httpOnly?.value && 'httponly',
  ];
  return [`${cookie.name}=${encodeURIComponent(cookie.value)}`, ...attributes.filter(Boolean)].join('; ');
}
