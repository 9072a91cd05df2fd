import { AppError } from '../core/errors.ts';
import { sha256 } from '../core/ids.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { canonicalJson, isArray } from '../core/json.ts';
import type { BatchOperation, DocumentKey, DocumentQuery, FieldPath, Filter, Scalar } from './documents.ts';

/**
 * The rules of the `MetadataStore` port, checked in one place so that every adapter refuses the same input with
 * the same words. They are Cosmos's limits, with room left for the properties that it adds itself.
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
  pageDocuments: 1_000,
  filterNodes: 500,
  filterDepth: 32,
  inValues: 1_000,
  filterStringCharacters: 16_384,
  pathNames: 32,
  pathNameCharacters: 1_024,
  ttlSeconds: 2 ** 31 - 1,
} as const;

/** Top-level members whose contents no adapter indexes: they can be filtered (slowly) but not sorted by. */
export const unindexedMembers: ReadonlySet<string> = new Set(['points']);

const reservedNames: ReadonlySet<string> = new Set(['id', 'pk', 'ttl']);

/** @returns whether a top-level member belongs to the store and not to the body. */
export function isReservedName(name: string): boolean {
  return reservedNames.has(name) || name.startsWith('_');
}

/** @throws INVALID_ARGUMENT */
export function checkKey(key: DocumentKey): void {
  checkPartition(key.container, key.partition);
  checkName('id', key.id);
}

/** @throws INVALID_ARGUMENT */
function checkPartition(container: string, partition: string): void {
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
 * Ids and container names become segments of a URL: `.` and `..` would be resolved away on the way (reading the
 * document `..` would read its container), and the service refuses a trailing space.
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

function checkText(what: string, text: unknown): asserts text is string {
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
 * @returns the body as JSON text.
 * @throws INVALID_ARGUMENT when it uses a reserved name, is not JSON, is nested too deeply or is over 2 MB
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

function checkJson(value: unknown, depth: number): void {
  if (depth > documentLimits.nesting)
    throw invalid(`The body is nested deeper than ${documentLimits.nesting} levels.`, {});
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(`The body holds ${value}, which JSON cannot say.`, {});
    return;
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalid('The body holds a string with a lone surrogate.', {});
    return;
  }
  if (typeof value !== 'object') throw invalid(`The body holds a ${typeof value}, which is not JSON.`, {});
  if ('toJSON' in value && typeof value.toJSON === 'function')
    throw invalid('The body holds an object that is not plain JSON.', {});
  if (Array.isArray(value)) {
    for (const item of value) checkJson(item, depth + 1);
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed()) throw invalid('The body holds a name with a lone surrogate.', {});
    // As in JSON.stringify: a member that is undefined is a member that is not there.
    if (member !== undefined) checkJson(member, depth + 1);
  }
}

/**
 * ETags travel in HTTP headers, where `*` would match any version and an empty one would match nothing at all.
 *
 * @throws INVALID_ARGUMENT
 */
export function checkEtag(etag: string): void {
  if (typeof etag !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(etag) || etag === '*')
    throw invalid('The ETag is not one that this store gave out.', {});
}

/** @throws INVALID_ARGUMENT */
export function checkTtl(ttlSeconds: number | undefined): void {
  if (ttlSeconds === undefined) return;
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > documentLimits.ttlSeconds)
    throw invalid('ttlSeconds must be a whole number from 1 to 2147483647.', { ttlSeconds });
}

/**
 * @returns the JSON text of each operation's body, in order (undefined for a delete).
 * @throws INVALID_ARGUMENT, with `details.operation` where one operation is at fault
 */
export function checkBatch(
  container: string,
  partition: string,
  operations: readonly BatchOperation[],
): readonly (string | undefined)[] {
  checkPartition(container, partition);
  if (operations.length === 0 || operations.length > documentLimits.batchOperations)
    throw invalid(`A batch has 1 to ${documentLimits.batchOperations} operations.`, {
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

/** Says which operation of a batch failed. */
export function atOperation(error: AppError, index: number): AppError {
  return new AppError(error.code, error.message, { ...error.details, operation: index }, error.cause);
}

/** @throws INVALID_ARGUMENT */
export function checkQuery(query: DocumentQuery): void {
  checkPartition(query.container, query.partition ?? 'any');
  const { pageDocuments } = documentLimits;
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > pageDocuments)
    throw invalid(`limit must be a whole number from 1 to ${pageDocuments}.`, { limit: query.limit });
  if (query.filter !== undefined) checkFilter(query.filter, { nodes: 0 }, 1);
  if (query.sort !== undefined) {
    checkPath(query.sort.path);
    if (unindexedMembers.has(query.sort.path[0]))
      throw invalid(`"${query.sort.path[0]}" is not indexed, so it cannot be sorted by.`, {});
    if (query.sort.direction !== 'asc' && query.sort.direction !== 'desc')
      throw invalid('The sort direction must be asc or desc.', {});
  }
}

function checkFilter(filter: Filter, seen: { nodes: number }, depth: number): void {
  seen.nodes += 1;
  if (seen.nodes > documentLimits.filterNodes || depth > documentLimits.filterDepth)
    throw invalid(
      `A filter has at most ${documentLimits.filterNodes} conditions, ${documentLimits.filterDepth} deep.`,
      {},
    );
  switch (filter.op) {
    case 'and':
    case 'or':
      for (const part of filter.filters) checkFilter(part, seen, depth + 1);
      return;
    case 'not':
      return checkFilter(filter.filter, seen, depth + 1);
    case 'in':
      checkPath(filter.path);
      if (filter.values.length > documentLimits.inValues)
        throw invalid(`"in" takes at most ${documentLimits.inValues} values.`, {});
      return filter.values.forEach(checkScalar);
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      if (typeof filter.value !== 'string') throw invalid(`"${filter.op}" takes a string.`, {});
      checkPath(filter.path);
      return checkScalar(filter.value);
    case 'exists':
      return checkPath(filter.path);
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      checkPath(filter.path);
      return checkScalar(filter.value);
    default:
      throw invalid('The filter has an operator that does not exist.', { op: (filter as Filter).op });
  }
}

function checkScalar(value: Scalar): void {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return;
  if (typeof value === 'string' && value.isWellFormed()) {
    if (value.length <= documentLimits.filterStringCharacters) return;
    throw invalid(`A filter's strings have at most ${documentLimits.filterStringCharacters} characters.`, {});
  }
  throw invalid('A filter compares with a well-formed string, a finite number or a boolean.', {});
}

function checkPath(path: FieldPath): void {
  const { pathNames, pathNameCharacters } = documentLimits;
  if (!Array.isArray(path) || path.length === 0 || path.length > pathNames)
    throw invalid(`A field path has 1 to ${pathNames} names.`, {});
  for (const name of path) {
    checkText('field name', name);
    if (name.length > pathNameCharacters)
      throw invalid(`A field name has at most ${pathNameCharacters} characters.`, {});
  }
  if (isReservedName(path[0])) throw invalid(`The field "${path[0]}" is reserved for the store.`, {});
}

/**
 * Wraps an adapter's own position in an opaque cursor that only fits the same query on the same kind of store.
 * The page size is no part of that: it may change from page to page.
 */
export function encodeCursor(adapter: string, query: DocumentQuery, position: JsonValue): string {
  return Buffer.from(JSON.stringify([1, adapter, queryDigest(query), position])).toString('base64url');
}

/**
 * @returns the position that was given to `encodeCursor`.
 * @throws INVALID_ARGUMENT for a cursor of another query or adapter, or one that was changed
 */
export function decodeCursor(adapter: string, query: DocumentQuery, cursor: string): JsonValue {
  const parts = parseJson(Buffer.from(cursor, 'base64url').toString());
  if (!Array.isArray(parts) || parts.length !== 4 || parts[0] !== 1 || parts[1] !== adapter)
    throw badCursor();
  if (parts[2] !== queryDigest(query)) throw badCursor();
  return parts[3] as JsonValue;
}

export function badCursor(): AppError {
  return invalid('The cursor is not one of this query.', {});
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function queryDigest(query: DocumentQuery): string {
  const { container, partition = null, filter = null, sort = null } = query;
  return sha256(canonicalJson({ container, partition, filter, sort } as JsonObject)).slice(0, 32);
}

/** `retryAfterMs` is what the store asks for, or our guess when it does not say. */
export function rateLimited(retryAfterMs: number, cause?: unknown): AppError {
  return new AppError('RATE_LIMITED', 'The metadata store is busy; try again.', { retryAfterMs }, cause);
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): AppError {
  return new AppError('INVALID_ARGUMENT', message, details);
}
