import { checkPartition, checkText, invalid, isReservedName } from './document-rules.ts';
import type { DocumentQuery, FieldPath, Filter, Scalar, ValueFilter } from './documents.ts';

/** The limits of queries that every adapter supports. */
const queryLimits = {
  pageDocuments: 1_000,
  filterNodes: 500,
  filterDepth: 32,
  inValues: 1_000,
  filterStringCharacters: 16_384,
  pathNames: 32,
  pathNameCharacters: 1_024,
} as const;

/** Top-level members that no adapter indexes: queries can filter (slowly) but not sort by them. */
export const unindexedMembers: ReadonlySet<string> = new Set(['points', 'detail']);

/** The comparison that is true where another is false; both are unknown for the same fields. */
export const oppositeTests = { eq: 'ne', ne: 'eq', lt: 'gte', lte: 'gt', gt: 'lte', gte: 'lt' } as const;

export function isValueFilter(filter: Filter): filter is ValueFilter {
  return ['compare', 'in', 'match'].includes(filter.op);
}

/** @throws INVALID_ARGUMENT */
export function checkQuery(query: DocumentQuery): void {
  checkPartition(query.container, query.partition ?? 'any');
  const { pageDocuments } = queryLimits;
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > pageDocuments)
    throw invalid(`limit must be an integer from 1 to ${pageDocuments}.`, { limit: query.limit });
  if (query.filter !== undefined) checkFilter(query.filter, { nodes: 0 }, 1);
  if (query.sort !== undefined) {
    checkPath(query.sort.path);
    if (unindexedMembers.has(query.sort.path[0]))
      throw invalid(`Cannot sort by "${query.sort.path[0]}": it is not indexed.`, {});
    if (query.sort.direction !== 'asc' && query.sort.direction !== 'desc')
      throw invalid('The sort direction must be asc or desc.', {});
  }
}

function checkFilter(filter: Filter, seen: { nodes: number }, depth: number): void {
  seen.nodes += 1;
  if (seen.nodes > queryLimits.filterNodes || depth > queryLimits.filterDepth)
    throw invalid(
      `A filter can have at most ${queryLimits.filterNodes} conditions, ${queryLimits.filterDepth} deep.`,
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
      if (filter.values.length > queryLimits.inValues)
        throw invalid(`"in" takes at most ${queryLimits.inValues} values.`, {});
      return filter.values.forEach(checkScalar);
    case 'match':
      if (!['startsWith', 'endsWith', 'contains'].includes(filter.how))
        throw invalid('"match" takes startsWith, endsWith or contains.', { how: filter.how });
      if (typeof filter.value !== 'string') throw invalid(`"${filter.how}" takes a string.`, {});
      if (![undefined, true].includes(filter.ignoreCase))
        throw invalid('"ignoreCase" must be true or absent.', {});
      checkPath(filter.path);
      return checkScalar(filter.value);
    case 'exists':
      return checkPath(filter.path);
    case 'compare':
      if (!Object.hasOwn(oppositeTests, filter.test))
        throw invalid(`"compare" takes ${Object.keys(oppositeTests).join(', ')}.`, { test: filter.test });
      checkPath(filter.path);
      return checkScalar(filter.value);
    default:
      throw invalid('The filter has an unknown operator.', { op: (filter as Filter).op });
  }
}

function checkScalar(value: Scalar): void {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return;
  if (typeof value === 'string' && value.isWellFormed()) {
    if (value.length <= queryLimits.filterStringCharacters) return;
    throw invalid(
      `A filter's strings can have at most ${queryLimits.filterStringCharacters} characters.`,
      {},
    );
  }
  throw invalid('A filter must compare with a well-formed string, a finite number or a boolean.', {});
}

function checkPath(path: FieldPath): void {
  const { pathNames, pathNameCharacters } = queryLimits;
  if (!Array.isArray(path) || path.length === 0 || path.length > pathNames)
    throw invalid(`A field path must have 1 to ${pathNames} names.`, {});
  for (const name of path) {
    checkText('field name', name);
    if (name.length > pathNameCharacters)
      throw invalid(`A field name can have at most ${pathNameCharacters} characters.`, {});
  }
  if (isReservedName(path[0])) throw invalid(`The field "${path[0]}" is reserved for the store.`, {});
}
