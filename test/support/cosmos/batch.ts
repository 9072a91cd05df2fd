import type { WireReply, WireRequest } from './wire.ts';
import { failure, json } from './wire.ts';

interface Operation {
  readonly operationType: 'Create' | 'Upsert' | 'Replace' | 'Delete';
  readonly id?: string;
  readonly ifMatch?: string;
  readonly resourceBody?: { readonly id: string };
}

type Send = (request: WireRequest) => Promise<Required<WireReply>>;

/**
 * A transactional batch, for a server whose own is neither atomic nor complete: a dry run checks every operation
 * against the documents as the previous operations would leave them, and applies them only if all succeed. The
 * gateway admits no other request meanwhile.
 */
export async function applyBatch(request: WireRequest, path: string, send: Send): Promise<WireReply> {
  if (request.headers['x-ms-cosmos-batch-atomic'] !== 'true') return failure(400, 'the batch is not atomic');
  const operations = JSON.parse(request.body) as Operation[];
  const statuses = await rehearse(operations, request, path, send);
  const failed = statuses.findIndex((status) => status >= 400);
  if (failed >= 0)
    return json(
      207,
      operations.map((_, index) => ({
        statusCode: index === failed ? statuses[failed] : 424,
        requestCharge: 0,
      })),
    );
  const results: unknown[] = [];
  for (const operation of operations) results.push(await perform(operation, request, path, send));
  return json(200, results);
}

async function rehearse(
  operations: readonly Operation[],
  request: WireRequest,
  path: string,
  send: Send,
): Promise<number[]> {
  const etags = new Map<string, string | undefined>();
  const statuses: number[] = [];
  for (const operation of operations) {
    const id = idOf(operation);
    if (!etags.has(id)) {
      const { status, body } = await send(single(request, 'GET', documentPath(path, id)));
      etags.set(id, status === 200 ? (JSON.parse(body) as { _etag: string })._etag : undefined);
    }
    const status = outcome(operation, etags.get(id));
    statuses.push(status);
    if (status >= 400) break;
    etags.set(id, operation.operationType === 'Delete' ? undefined : 'written in this batch');
  }
  return statuses;
}

function outcome(operation: Operation, etag: string | undefined): number {
  const { operationType, ifMatch } = operation;
  if (operationType === 'Create') return etag === undefined ? 201 : 409;
  if (operationType === 'Upsert') return 200;
  if (etag === undefined) return 404;
  return ifMatch !== undefined && ifMatch !== etag ? 412 : 200;
}

async function perform(
  operation: Operation,
  request: WireRequest,
  path: string,
  send: Send,
): Promise<unknown> {
  const body = JSON.stringify(operation.resourceBody ?? '');
  const { operationType } = operation;
  const { status, body: text } =
    operationType === 'Delete'
      ? await send(single(request, 'DELETE', documentPath(path, idOf(operation))))
      : operationType === 'Replace'
        ? await send(single(request, 'PUT', documentPath(path, idOf(operation)), body))
        : await send(single(request, 'POST', path, body, operationType === 'Upsert'));
  if (status >= 400) throw new Error(`a rehearsed ${operationType} failed with ${status}: ${text}`);
  const resourceBody = text === '' ? undefined : (JSON.parse(text) as { _etag: string });
  return { statusCode: status, requestCharge: 1, eTag: resourceBody?._etag, resourceBody };
}

function single(request: WireRequest, method: string, path: string, body = '', upsert = false): WireRequest {
  const { 'x-ms-cosmos-is-batch-request': _, 'x-ms-cosmos-batch-atomic': __, ...headers } = request.headers;
  return {
    method,
    path,
    body,
    headers: upsert ? { ...headers, 'x-ms-documentdb-is-upsert': 'True' } : headers,
  };
}

function idOf(operation: Operation): string {
  return operation.id ?? operation.resourceBody!.id;
}

function documentPath(path: string, id: string): string {
  return `${path}/${encodeURIComponent(id)}`;
}
