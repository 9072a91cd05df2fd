import { managementUrls, type UrlOptions } from './client-urls.ts';
import type { DurableClientOperations } from './client.ts';
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
import { queryInstances, type InstanceFilter } from '../store/instance-query.ts';
import { isTerminal, terminalStatuses } from '../model.ts';
import { historyForStatus, statusPayload } from './status-payload.ts';
import type { Stores } from '../store/turn-commit.ts';

export interface InstanceHandlers {
  readonly client: DurableClientOperations;
  readonly stores: Stores;
  readonly urls: () => UrlOptions;
  readonly nowMs: () => number;
  /** Resolves when the instance ends, or after `timeoutMs`. */
  waitForEnd(instanceId: string, timeoutMs: number): Promise<void>;
}

const defaultPageSize = 100;
const purgePageSize = 500;
const maxWaitSeconds = 230;

export async function startInstance(
  on: InstanceHandlers,
  request: DurableHttpRequest,
  functionName: string,
  instanceId: string | null,
): Promise<DurableHttpResponse> {
  const text = request.body.toString('utf8');
  const input = text === '' ? null : text;
  if (input !== null && !isJson(input)) return errorResponse(400, 'Invalid JSON content');
  const id = on.client.start(functionName, instanceId, input);
  const timeoutSeconds = Number(queryValue(request.query, 'timeout') ?? Number.NaN);
  if (Number.isFinite(timeoutSeconds) && queryValue(request.query, 'pollingInterval') !== undefined) {
    await on.waitForEnd(id, Math.min(timeoutSeconds, maxWaitSeconds) * 1000);
    const instance = on.client.find(id);
    if (instance?.status === 'Completed')
      return jsonResponse(200, statusPayload(instance, { showInput: false }).output);
    if (instance !== undefined && isTerminal(instance.status)) return getStatus(on, request, id);
  }
  const urls = managementUrls(on.urls(), id);
  return jsonResponse(202, urls, { location: urls['statusQueryGetUri'] ?? '', 'retry-after': '10' });
}

export function getStatus(
  on: InstanceHandlers,
  { query }: DurableHttpRequest,
  instanceId: string,
): DurableHttpResponse {
  const instance = on.client.find(instanceId);
  if (instance === undefined) return emptyResponse(404);
  const showInput = queryFlag(query, 'showInput') ?? true;
  const isHistoryShown = queryFlag(query, 'showHistory') === true && instance.status !== 'Pending';
  const showOutput = queryFlag(query, 'showHistoryOutput') === true;
  const history = isHistoryShown
    ? { history: historyForStatus(on.stores.instances.readHistory(instanceId).flat(), showOutput) }
    : {};
  const payload = statusPayload(instance, { showInput, ...history });
  if (isTerminal(instance.status)) {
    const isFault =
      instance.status === 'Failed' && queryFlag(query, 'returnInternalServerErrorOnFailure') === true;
    return jsonResponse(isFault ? 500 : 200, payload);
  }
  const location = managementUrls(on.urls(), instanceId)['statusQueryGetUri'] ?? '';
  return jsonResponse(202, payload, { location, 'retry-after': '5' });
}

export function listInstances(on: InstanceHandlers, request: DurableHttpRequest): DurableHttpResponse {
  const limit = queryInteger(request.query, 'top') ?? defaultPageSize;
  const afterId = decodeToken(headerValue(request, 'x-ms-continuation-token'));
  const found = queryInstances(on.stores.db, filterOf(request.query), { afterId, limit: limit + 1 });
  const page = found.slice(0, limit);
  const showInput = queryFlag(request.query, 'showInput') ?? false;
  const last = page.at(-1);
  const token: Record<string, string> =
    found.length > limit && last !== undefined
      ? { 'x-ms-continuation-token': encodeToken(last.instanceId) }
      : {};
  const body = page.map((instance) => statusPayload(instance, { showInput }));
  return jsonResponse(200, body, token);
}

/** `terminate`, `suspend`, `resume`: answers 202, or 410 when the instance has ended. */
export function commandInstance(
  on: InstanceHandlers,
  { query }: DurableHttpRequest,
  instanceId: string,
  command: 'terminate' | 'suspend' | 'resume',
): DurableHttpResponse {
  const gone = missingOrEnded(on, instanceId);
  if (gone !== null) return gone;
  on.client[command](instanceId, queryValue(query, 'reason') ?? null);
  return emptyResponse(202);
}

export function raiseEvent(
  on: InstanceHandlers,
  request: DurableHttpRequest,
  instanceId: string,
  eventName: string,
): DurableHttpResponse {
  const gone = missingOrEnded(on, instanceId);
  if (gone !== null) return gone;
  const mediaType = headerValue(request, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (request.headers !== undefined && mediaType !== 'application/json')
    return errorResponse(400, 'Only application/json request content is supported');
  const text = request.body.toString('utf8');
  if (text !== '' && !isJson(text)) return errorResponse(400, 'Invalid JSON content');
  on.client.raiseEvent(instanceId, eventName, text === '' ? null : text);
  return emptyResponse(202);
}

export function purgeInstance(on: InstanceHandlers, instanceId: string): DurableHttpResponse {
  if (!instanceId.startsWith('@')) {
    const instance = on.client.find(instanceId);
    if (instance === undefined) return emptyResponse(404);
    if (!isTerminal(instance.status))
      return jsonResponse(
        412,
        'Only orchestrations in a terminal state can be purged, but the orchestration with instance ID ' +
          `${instanceId} has status ${instance.status}`,
      );
  }
  return jsonResponse(200, { instancesDeleted: on.client.purge(instanceId) ? 1 : 0 });
}

export function purgeInstances(on: InstanceHandlers, { query }: DurableHttpRequest): DurableHttpResponse {
  if (queryTime(query, 'createdTimeFrom') === undefined)
    return jsonResponse(400, "Please provide value for 'createdTimeFrom' parameter.");
  const wanted = filterOf(query);
  const statuses = terminalStatuses.filter((status) => wanted.statuses?.includes(status) ?? true);
  const filter = { createdToMs: on.nowMs(), ...wanted, statuses };
  let instancesDeleted = 0;
  for (let afterId = ''; ;) {
    const page = queryInstances(on.stores.db, filter, { afterId, limit: purgePageSize });
    for (const { instanceId } of page) if (on.client.purge(instanceId)) instancesDeleted++;
    const last = page.at(-1);
    if (last === undefined || page.length < purgePageSize) break;
    afterId = last.instanceId;
  }
  return instancesDeleted === 0 ? emptyResponse(404) : jsonResponse(200, { instancesDeleted });
}

function missingOrEnded(on: InstanceHandlers, instanceId: string): DurableHttpResponse | null {
  const instance = on.client.find(instanceId);
  if (instance === undefined) return emptyResponse(404);
  return isTerminal(instance.status) ? emptyResponse(410) : null;
}

function filterOf(query: URLSearchParams): InstanceFilter {
  const idPrefix = queryValue(query, 'instanceIdPrefix');
  const createdFromMs = queryTime(query, 'createdTimeFrom');
  const createdToMs = queryTime(query, 'createdTimeTo');
  const statuses = statusesOf(query);
  return {
    ...(idPrefix === undefined ? {} : { idPrefix }),
    ...(createdFromMs === undefined ? {} : { createdFromMs }),
    ...(createdToMs === undefined ? {} : { createdToMs }),
    ...(statuses.length === 0 ? {} : { statuses }),
  };
}

const statusNames = [
  'Running',
  'Completed',
  'ContinuedAsNew',
  'Failed',
  'Canceled',
  'Terminated',
  'Pending',
  'Suspended',
];

/** Reads comma-separated and repeated values; ignores unknown names, as `Enum.TryParse` does. */
function statusesOf(query: URLSearchParams): readonly string[] {
  const values = [...query].filter(([key]) => key.toLowerCase() === 'runtimestatus');
  return values
    .flatMap(([, value]) => value.split(',').map((name) => name.trim()))
    .filter((name) => statusNames.includes(name));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

export function encodeToken(lastId: string): string {
  return Buffer.from(lastId, 'utf8').toString('base64url');
}

export function decodeToken(token: string | undefined): string {
  return token === undefined ? '' : Buffer.from(token, 'base64url').toString('utf8');
}
