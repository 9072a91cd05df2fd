import { timingSafeEqual } from 'node:crypto';
import { AppError, isAppError } from '../../../shared/core/errors.ts';
import { sha256 } from '../../../shared/core/ids.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import { rpcPrefix } from './client-urls.ts';
import { listEntities, readEntity, signalEntity, type EntityHandlers } from './entities.ts';
import {
  commandInstance,
  getStatus,
  listInstances,
  purgeInstance,
  purgeInstances,
  raiseEvent,
  startInstance,
  type InstanceHandlers,
} from './instances.ts';
import {
  emptyResponse,
  errorResponse,
  headerValue,
  queryValue,
  statusOfError,
  type DurableHttpRequest,
  type DurableHttpResponse,
} from './types.ts';

export interface HttpApiDeps extends InstanceHandlers, EntityHandlers {
  readonly systemKey: string;
  readonly hubName: string;
  readonly log: Logger;
}

/**
 * The HTTP management API, with the extension's status for every answer. Operations that this host does not implement
 * (rewind, restart) answer 501.
 *
 * @see https://github.com/Azure/azure-functions-durable-extension HttpApiHandler.HandleRequestAsync
 */
export async function handleManagementRequest(
  deps: HttpApiDeps,
  request: DurableHttpRequest,
): Promise<DurableHttpResponse> {
  try {
    const path = authorize(deps, request);
    if (path === null) return emptyResponse(401);
    const hub = queryValue(request.query, 'taskHub');
    if (hub !== undefined && hub.toLowerCase() !== deps.hubName.toLowerCase())
      return errorResponse(404, `This host has no task hub '${hub}'.`);
    return await route(deps, { ...request, method: request.method.toUpperCase() }, segmentsOf(path));
  } catch (error) {
    if (isAppError(error)) return errorResponse(statusOfError[error.code] ?? error.status, error.message);
    deps.log.log('error', 'A durable management request failed', {
      path: request.path,
      cause: String(error),
    });
    return errorResponse(500, 'Something went wrong while processing your request');
  }
}

/** @returns the path without the RPC prefix; null when the request has neither the key nor the prefix */
function authorize({ systemKey }: HttpApiDeps, request: DurableHttpRequest): string | null {
  const path = request.path.replace(/^\/+/, '');
  if (path.startsWith('rpc/')) {
    const prefix = rpcPrefix(systemKey);
    return isSame(path.slice(0, prefix.length), prefix) ? path.slice(prefix.length) : null;
  }
  if (request.isTrusted === true) return path;
  const key = queryValue(request.query, 'code') ?? headerValue(request, 'x-functions-key') ?? '';
  return isSame(key, systemKey) ? path : null;
}

function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(given)), Buffer.from(sha256(expected)));
}

function segmentsOf(path: string): readonly string[] {
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch (error) {
    throw new AppError('INVALID_ARGUMENT', 'The path is not valid percent-encoding.', {}, error);
  }
}

async function route(
  deps: HttpApiDeps,
  request: DurableHttpRequest,
  segments: readonly string[],
): Promise<DurableHttpResponse> {
  const [controller, first, second, third] = segments;
  switch (controller?.toLowerCase() ?? '') {
    case 'orchestrators':
      if (request.method !== 'POST' || first === undefined || segments.length > 3) return emptyResponse(404);
      return startInstance(deps, request, first, second ?? null);
    case 'instances':
      if (segments.length > 4) return emptyResponse(404);
      return routeInstance(deps, request, first, second?.toLowerCase(), third);
    case 'entities':
      if (segments.length > 3) return emptyResponse(404);
      return routeEntity(deps, request, first, second);
    default:
      return emptyResponse(404);
  }
}

function routeInstance(
  deps: HttpApiDeps,
  request: DurableHttpRequest,
  instanceId: string | undefined,
  operation: string | undefined,
  eventName: string | undefined,
): DurableHttpResponse {
  const { method } = request;
  if (instanceId === undefined) {
    if (method === 'GET') return listInstances(deps, request);
    return method === 'DELETE' ? purgeInstances(deps, request) : emptyResponse(404);
  }
  if (operation === undefined) {
    if (method === 'GET') return getStatus(deps, request, instanceId);
    return method === 'DELETE' ? purgeInstance(deps, instanceId) : emptyResponse(404);
  }
  if (method !== 'POST') return emptyResponse(404);
  if (operation === 'raiseevent' && eventName !== undefined)
    return raiseEvent(deps, request, instanceId, eventName);
  if (eventName !== undefined) return emptyResponse(404);
  switch (operation) {
    case 'terminate':
    case 'suspend':
    case 'resume':
      return commandInstance(deps, request, instanceId, operation);
    case 'rewind':
    case 'restart':
      return errorResponse(501, `The local host does not support ${operation}.`);
    default:
      return emptyResponse(404);
  }
}

function routeEntity(
  deps: HttpApiDeps,
  request: DurableHttpRequest,
  name: string | undefined,
  key: string | undefined,
): DurableHttpResponse {
  switch (request.method) {
    case 'GET':
      if (name !== undefined && key !== undefined) return readEntity(deps, name, key);
      return listEntities(deps, request, name ?? null);
    case 'POST':
    case 'DELETE':
      if (name === undefined) return errorResponse(400, 'An entity name is required.');
      return signalEntity(deps, request, name, key ?? '');
    default:
      return emptyResponse(404);
  }
}
