import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { isArray } from '../../core/json/json.ts';
import type { BatchOperation, DocumentKey } from './documents.ts';

/**
 * The rules of the `MetadataStore` port for writes, so that every adapter rejects the same input with the same error.
 * Cosmos's limits, minus the properties that it adds.
 *
 * @see https://learn.microsoft.com/azure/cosmos-db/concepts-limits
 */
const documentLimits = {
  documentBytes: 2_000_000,
  batchBytes: 2_000_000,
  batchOperations: 100,
  idCharacters: 255,
  partitionCharacters: 1_000,
  partitionBytes: 2_048,
  nesting: 100,
  ttlSeconds: 2 ** 31 - 1,
} as const;

const reservedNames: ReadonlySet<string> = new Set(['id', 'pk', 'ttl']);

/** Whether a top-level name is reserved for the store. */
export function isReservedName(name: string): boolean {
  return reservedNames.has(name) || name.startsWith('_');
}

/** @throws INVALID_ARGUMENT */
export function checkKey(key: DocumentKey): void {
  checkPartition(key.container, key.partition);
  checkName('id', key.id);
}

/** @throws INVALID_ARGUMENT */
export function checkPartition(container: string, partition: string): void {
  checkName('container', container);
  const { partitionCharacters, partitionBytes } = documentLimits;
  checkText('partition', partition);
  if (partition.length === 0 || partition.length > partitionCharacters)
    throw invalid(`The partition must have 1 to ${partitionCharacters} characters.`, {
      length: partition.length,
    });
  if (Buffer.byteLength(partition) > partitionBytes)
    throw invalid(`The partition must not be longer than ${partitionBytes} bytes in UTF-8.`, {});
}

/**
 * Ids and container names become segments of a URL, which resolves `.` and `..`: reading the document `..` would read
 * its container. The service rejects a trailing space.
 */
function checkName(what: 'container' | 'id', name: string): void {
  checkText(what, name);
  if (name.length === 0 || name.length > documentLimits.idCharacters)
    throw invalid(`The ${what} must have 1 to ${documentLimits.idCharacters} characters.`, {
      length: name.length,
    });
  if (/[/\\?#]/.test(name)) throw invalid(`The ${what} must not contain any of / \\ ? #.`, { [what]: name });
  if (name === '.' || name === '..' || name.endsWith(' '))
    throw invalid(`The ${what} must not be "." or "..", nor end with a space.`, { [what]: name });
}

/** @throws INVALID_ARGUMENT */
export function checkText(what: string, text: unknown): asserts text is string {
  if (typeof text !== 'string' || !text.isWellFormed() || hasControlCharacter(text))
    throw invalid(`The ${what} must be text without control characters or lone surrogates.`, {});
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}

/**
 * @returns the body as JSON text
 * @throws INVALID_ARGUMENT for reserved names, values that are not JSON, too deep nesting or more than 2 MB
 */
export function checkBody(body: JsonObject): string {
  if (body === null || typeof body !== 'object' || isArray(body))
    throw invalid('The body must be a JSON object.', {});
  for (const name of Object.keys(body))
    if (isReservedName(name))
      throw invalid(`The top-level name "${name}" is reserved for the store.`, { name });
  checkJson(body, 1);
  const json = JSON.stringify(body);
  const sizeBytes = Buffer.byteLength(json);
  if (sizeBytes > documentLimits.documentBytes)
    throw invalid('The document is larger than 2 MB.', {
      sizeBytes,
      limitBytes: documentLimits.documentBytes,
    });
  return json;
}

/** Checks every value that is stored, so it allocates as little as it can. */
function checkJson(value: unknown, depth: number): void {
  if (depth > documentLimits.nesting)
    throw invalid(`The body is nested deeper than ${documentLimits.nesting} levels.`, {});
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw invalid(`The body contains ${value}, which JSON cannot represent.`, {});
    return;
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalid('The body contains a string with a lone surrogate.', {});
    return;
  }
  if (typeof value !== 'object') throw invalid(`The body contains a ${typeof value}, which is not JSON.`, {});
  checkMembers(value, depth);
}

function checkMembers(value: object, depth: number): void {
  if ('toJSON' in value && typeof value.toJSON === 'function')
    throw invalid('The body contains an object that is not plain JSON.', {});
  if (Array.isArray(value)) {
    for (const item of value) checkJson(item, depth + 1);
    return;
  }
  for (const name of Object.keys(value)) {
    if (!name.isWellFormed()) throw invalid('The body contains a name with a lone surrogate.', {});
    const member = (value as Readonly<Record<string, unknown>>)[name];
    // JSON.stringify skips undefined members.
    if (member !== undefined) checkJson(member, depth + 1);
  }
}

/**
 * ETags are sent in HTTP headers, where `*` matches any version and an empty ETag none.
 *
 * @throws INVALID_ARGUMENT
 */
export function checkEtag(etag: string): void {
  if (typeof etag !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(etag) || etag === '*')
    throw invalid('Invalid ETag: pass the ETag of the last read unchanged.', {});
}

/** @throws INVALID_ARGUMENT */
export function checkTtl(ttlSeconds: number | undefined): void {
  if (ttlSeconds === undefined) return;
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > documentLimits.ttlSeconds)
    throw invalid('ttlSeconds must be an integer from 1 to 2147483647.', { ttlSeconds });
}

/**
 * @returns the JSON text of each operation's body, in order (undefined for a delete).
 * @throws INVALID_ARGUMENT, with `details.operation` when one operation is at fault
 */
export function checkBatch(
  container: string,
  partition: string,
  operations: readonly BatchOperation[],
): readonly (string | undefined)[] {
  checkPartition(container, partition);
  if (operations.length === 0 || operations.length > documentLimits.batchOperations)
    throw invalid(`A batch must have 1 to ${documentLimits.batchOperations} operations.`, {
      operations: operations.length,
    });
  const bodies = operations.map((operation, index) => {
    try {
      return checkOperation(container, partition, operation);
    } catch (error) {
      throw error instanceof AppError ? atOperation(error, index) : error;
    }
  });
  const sizeBytes = bodies.reduce((sum, json) => sum + (json === undefined ? 0 : Buffer.byteLength(json)), 0);
  if (sizeBytes > documentLimits.batchBytes)
    throw invalid('The batch is larger than 2 MB.', { sizeBytes, limitBytes: documentLimits.batchBytes });
  return bodies;
}

function checkOperation(container: string, partition: string, operation: BatchOperation): string | undefined {
  checkKey({ container, partition, id: operation.id });
  if ('etag' in operation && operation.etag !== undefined) checkEtag(operation.etag);
  if (operation.kind === 'delete') return undefined;
  checkTtl(operation.ttlSeconds);
  return checkBody(operation.body);
}

/** Adds the index of the failed operation. */
export function atOperation(error: AppError, index: number): AppError {
  return new AppError(error.code, error.message, { ...error.details, operation: index }, error.cause);
}

/** @param retryAfterMs the delay that the store requests, or an estimate */
export function rateLimited(retryAfterMs: number, cause?: unknown): AppError {
  return new AppError('RATE_LIMITED', 'The metadata store is busy; try again.', { retryAfterMs }, cause);
}

/** The error for a broken rule. */
export function invalid(message: string, details: Readonly<Record<string, unknown>>): AppError {
  return new AppError('INVALID_ARGUMENT', message, details);
}
