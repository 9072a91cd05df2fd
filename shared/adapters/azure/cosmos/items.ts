import type { OperationInput, OperationResponse, Resource } from '@azure/cosmos';
import { BulkOperationType } from '@azure/cosmos';
import { AppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import {
  atOperation,
  checkBody,
  checkKey,
  checkTtl,
  isReservedName,
} from '../../../platform/storage/document-rules.ts';
import type { BatchOperation, DocumentKey, StoredDocument } from '../../../platform/storage/documents.ts';
import { translateStatus } from './errors.ts';

/** A stored document: the members of its body at the top level, beside those of the service. */
export type StoredItem = JsonObject & Resource;

/** @throws INVALID_ARGUMENT */
export function toItem(
  key: DocumentKey,
  body: JsonObject,
  ttlSeconds: number | undefined,
): JsonObject & { id: string } {
  checkKey(key);
  checkTtl(ttlSeconds);
  const plain = JSON.parse(checkBody(body)) as JsonObject;
  const { id, partition } = key;
  return {
    ...plain,
    id,
    pk: partition,
    _key: `${partition}/${id}`,
    ...(ttlSeconds === undefined ? {} : { ttl: ttlSeconds }),
  };
}

export function toDocument<T extends JsonObject>(container: string, item: StoredItem): StoredDocument<T> {
  const members = Object.entries(item).filter(([name]) => !isReservedName(name));
  return {
    container,
    partition: item['pk'] as string,
    id: item.id,
    etag: item._etag,
    body: Object.fromEntries(members) as T,
  };
}

/** @throws INVALID_ARGUMENT */
export function toBatchInput(key: DocumentKey, operation: BatchOperation): OperationInput {
  const { id } = operation;
  switch (operation.kind) {
    case 'create':
      return {
        operationType: BulkOperationType.Create,
        resourceBody: toItem(key, operation.body, operation.ttlSeconds),
      };
    case 'upsert':
      return {
        operationType: BulkOperationType.Upsert,
        resourceBody: toItem(key, operation.body, operation.ttlSeconds),
      };
    case 'replace':
      return {
        operationType: BulkOperationType.Replace,
        id,
        ifMatch: operation.etag,
        resourceBody: toItem(key, operation.body, operation.ttlSeconds),
      };
    case 'delete':
      return {
        operationType: BulkOperationType.Delete,
        id,
        ...(operation.etag === undefined ? {} : { ifMatch: operation.etag }),
      };
  }
}

/**
 * Reads the answer to a batch. In a failed batch, the failed operation has its own status and all others 424.
 *
 * @throws the error of that operation; UNAVAILABLE for an incomplete answer
 */
export function readBatch(
  operations: readonly BatchOperation[],
  results: readonly OperationResponse[],
): readonly (string | undefined)[] {
  const failed = results.findIndex(({ statusCode }) => statusCode >= 400 && statusCode !== 424);
  if (failed >= 0) {
    const { statusCode } = results[failed]!;
    throw atOperation(translateStatus(statusCode), failed);
  }
  if (results.length !== operations.length || results.some(({ statusCode }) => statusCode >= 400))
    throw new AppError('UNAVAILABLE', 'The metadata store returned an incomplete answer to a batch.');
  return operations.map((operation, index) =>
    operation.kind === 'delete' ? undefined : results[index]!.eTag,
  );
}
