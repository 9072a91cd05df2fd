import type { DurableClientOperations } from './client.ts';
import { decodeToken, encodeToken } from './instances.ts';
import {
  emptyResponse,
  errorResponse,
  headerValue,
  jsonResponse,
  queryFlag,
  queryInteger,
  queryTime,
  queryValue,
  type DurableHttpRequest,
  type DurableHttpResponse,
} from './types.ts';
import { entityIdOf, partsOfEntityId } from '../identity.ts';
import { isoTime } from '../wire/json-history.ts';
import type { Stores } from '../store/turn-commit.ts';

export interface EntityHandlers {
  readonly client: DurableClientOperations;
  readonly stores: Stores;
}

const defaultPageSize = 100;
/** An empty key in a URL. */
const emptyKeySymbol = '$';

export function readEntity(on: EntityHandlers, name: string, key: string): DurableHttpResponse {
  on.client.requireEntity(name);
  const entity = on.stores.work.findEntity(entityIdOf(name, key === emptyKeySymbol ? '' : key));
  if (entity === undefined || !entity.exists) return emptyResponse(404);
  return jsonResponse(200, JSON.parse(entity.state ?? 'null'));
}

/** Signals an operation and answers 202 without waiting for it. DELETE is the operation `delete`. */
export function signalEntity(
  on: EntityHandlers,
  request: DurableHttpRequest,
  name: string,
  key: string,
): DurableHttpResponse {
  const operation = request.method === 'DELETE' ? 'delete' : (queryValue(request.query, 'op') ?? '');
  const text = request.body.toString('utf8');
  if (text === '') {
    on.client.signalEntity(name, key, operation, null);
    return emptyResponse(202);
  }
  const mediaType = headerValue(request, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (request.headers !== undefined && mediaType !== 'application/json') {
    on.client.signalEntity(name, key, operation, JSON.stringify(text));
    return emptyResponse(202);
  }
  try {
    JSON.parse(text);
  } catch (error) {
    return errorResponse(400, `Could not parse JSON content: ${String(error)}`);
  }
  on.client.signalEntity(name, key, operation, text);
  return emptyResponse(202);
}

export function listEntities(
  on: EntityHandlers,
  request: DurableHttpRequest,
  name: string | null,
): DurableHttpResponse {
  const { query } = request;
  const limit = queryInteger(query, 'top') ?? defaultPageSize;
  const prefix = name === null ? '@' : entityIdOf(name, '');
  const afterId = decodeToken(headerValue(request, 'x-ms-continuation-token'));
  const toMs = queryTime(query, 'lastOperationTimeTo');
  const found = on.stores.work.listEntities({
    from: afterId === '' ? prefix : `${afterId}\u0001`,
    to: `${prefix}\u{10ffff}`,
    updatedFromMs: queryTime(query, 'lastOperationTimeFrom') ?? 0,
    ...(toMs === undefined ? {} : { updatedToMs: toMs }),
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  const isStateShown = queryFlag(query, 'fetchState') === true;
  const last = page.at(-1);
  const token: Record<string, string> =
    found.length > limit && last !== undefined
      ? { 'x-ms-continuation-token': encodeToken(last.entityId) }
      : {};
  const body = page.map((entity) => ({
    entityId: partsOfEntityId(entity.entityId),
    lastOperationTime: isoTime(entity.updatedMs),
    state: isStateShown ? (JSON.parse(entity.state ?? 'null') as unknown) : null,
  }));
  return jsonResponse(200, body, token);
}
