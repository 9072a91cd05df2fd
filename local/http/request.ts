import type { IncomingMessage } from 'node:http';
import type { NullableString, RpcHttp, TypedData } from '../worker/typed-data.ts';

/** A request's target, split once: `path` is percent-encoded, `search` starts with "?" or is empty. */
export interface RequestTarget {
  readonly host: string;
  readonly path: string;
  readonly search: string;
}

/** @returns undefined for an invalid target or Host header: answer 400 */
export function readTarget(request: IncomingMessage, fallbackHost: string): RequestTarget | undefined {
  const host = request.headers.host ?? fallbackHost;
  if (!/^[\w.:[\]-]+$/.test(host) || !isHost(host)) return undefined;
  const target = request.url ?? '';
  const isPlain = target.startsWith('/') && !target.startsWith('//') && !/\/\.|[\\#\s]/.test(target);
  if (isPlain) {
    const mark = target.indexOf('?');
    return mark === -1
      ? { host, path: target, search: '' }
      : { host, path: target.slice(0, mark), search: target.slice(mark) };
  }
  // Absolute form, dot segments, doubled slashes: the URL parser decides.
  const absolute = target.startsWith('/') ? `http://${host}${target}` : target;
  if (!/^https?:\/\//i.test(absolute) || !URL.canParse(absolute)) return undefined;
  const { pathname, search } = new URL(absolute);
  return { host, path: pathname, search };
}

/** Hosts that were valid before and need no second parse; there are only a few. */
const knownHosts = new Set<string>();
const maxKnownHosts = 100;

function isHost(host: string): boolean {
  if (knownHosts.has(host)) return true;
  if (!URL.canParse(`http://${host}/`)) return false;
  if (knownHosts.size < maxKnownHosts) knownHosts.add(host);
  return true;
}

/** Reads the key of a request: header `x-functions-key`, or `code` in the query. */
export function readKey(request: IncomingMessage, target: RequestTarget): string | undefined {
  const header = request.headers['x-functions-key'];
  if (typeof header === 'string') return header;
  return target.search.includes('code=')
    ? (new URLSearchParams(target.search).get('code') ?? undefined)
    : undefined;
}

/** The HTTP trigger's data as the real host sends it to a worker with Node's capabilities. */
export function toHttpData(
  request: IncomingMessage,
  target: RequestTarget,
  params: Readonly<Record<string, string>>,
  body: Buffer | undefined,
): TypedData {
  const nullableHeaders: Record<string, NullableString> = {};
  const { headers } = request;
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined)
      nullableHeaders[name] = { value: typeof value === 'string' ? value : value.join(',') };
  }
  const nullableParams: Record<string, NullableString> = {};
  for (const name in params) nullableParams[name] = { value: params[name]! };
  const http: RpcHttp = {
    url: `http://${target.host}${target.path}${target.search}`,
    method: request.method!,
    nullableHeaders,
    nullableQuery: readQuery(target.search),
    nullableParams,
    ...(body && { body: { bytes: body } }),
  };
  return { http };
}

/** Joins repeated names with commas, as ASP.NET Core's StringValues do. */
function readQuery(search: string): Record<string, NullableString> {
  const query: Record<string, NullableString> = {};
  if (search === '') return query;
  for (const [name, value] of new URLSearchParams(search)) {
    const earlier = query[name];
    query[name] = { value: earlier ? `${earlier.value},${value}` : value };
  }
  return query;
}

/**
 * Reads a whole body, up to the limit. Reads nothing when the announced length is over it.
 *
 * @returns 'tooLarge', or the body (undefined without one)
 * @throws when the client leaves in the middle
 */
export async function readBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<Buffer | undefined | 'tooLarge'> {
  const { headers } = request;
  const announced = headers['content-length'];
  if (announced === undefined && headers['transfer-encoding'] === undefined) return undefined;
  if (announced !== undefined && Number(announced) > limitBytes) return 'tooLarge';
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) return 'tooLarge';
    chunks.push(chunk);
  }
  if (sizeBytes === 0) return undefined;
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, sizeBytes);
}
