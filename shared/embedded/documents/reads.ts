import type { JsonObject } from '../../core/json.ts';
import type { DocumentQuery, Sort, StoredDocument } from '../../storage/documents.ts';
import type { Database } from './database.ts';
import type { IndexValue } from './fields.ts';
import { compareIndexValues, fieldAt, fieldTypes, pathName, toIndexValue } from './fields.ts';
import type { Scope } from './index-scans.ts';
import { countRange, readDocument, scanDocuments, scanField, scanRange } from './index-scans.ts';
import { evaluateFilter } from './matches.ts';
import type { Driver, FieldRange } from './ranges.ts';
import { findDrivers, intersect } from './ranges.ts';
import { isLive } from './writes.ts';

/**
 * What one page may cost. A page that reaches a limit ends early and carries a cursor, as the port allows; so
 * no query, however unlucky, reads more than this at once.
 */
export interface PageBudget {
  /** Up to this many candidates are fetched and sorted; with more, the sort index is walked. */
  readonly gatheredDocuments: number;
  readonly visitedDocuments: number;
  readonly visitedBytes: number;
  readonly returnedBytes: number;
}

export const defaultBudget: PageBudget = {
  gatheredDocuments: 2_000,
  visitedDocuments: 10_000,
  visitedBytes: 64_000_000,
  returnedBytes: 4_000_000,
};

/** Where a page ended: the last document visited. */
export interface Position {
  readonly seq: number;
  /** Present when the query sorts. */
  readonly key?: IndexValue;
}

export interface PageCost {
  /** `gather`: by a selective filter; `walk`: along the sort index; `scan`: in order of creation. */
  readonly plan: 'gather' | 'walk' | 'scan' | 'nothing';
  /** Index rows counted to choose the plan. */
  readonly probedRows: number;
  /** Index rows and documents read to answer. */
  readonly visitedRows: number;
}

export interface Page {
  readonly documents: readonly StoredDocument[];
  readonly end?: Position;
  readonly cost: PageCost;
}

export interface PageRequest {
  readonly query: DocumentQuery;
  /** How many documents of the query's `limit` this page may have. */
  readonly limit: number;
  readonly after: Position | undefined;
  /** Milliseconds since the Unix epoch: what has expired by then is not there. */
  readonly now: number;
  readonly budget: PageBudget;
}

/** Needs an open read transaction: its queries must see one state. */
export function readPage(database: Database, request: PageRequest): Page {
  const { query, after, budget } = request;
  const scope = findScope(database, query);
  if (scope === undefined) return { documents: [], cost: { plan: 'nothing', probedRows: 0, visitedRows: 0 } };
  const drivers = query.filter === undefined ? [] : findDrivers(query.filter);
  const { best, probedRows } = chooseDriver(database, scope, drivers, budget.gatheredDocuments);
  const reader = new PageReader(database, scope, request, probedRows);
  if (best !== undefined) {
    const gathered =
      query.sort === undefined ? reader.gather(best, after) : reader.gatherSorted(best, query.sort, after);
    if (gathered !== undefined) return gathered;
  }
  return query.sort === undefined ? reader.scan(after) : reader.walk(query.sort, drivers, after);
}

function findScope(database: Database, query: DocumentQuery): Scope | undefined {
  const { container, partition } = query;
  if (partition === undefined) return { container };
  const row = database.get(
    'SELECT partition_id AS id FROM partitions WHERE container = ? AND name = ?',
    container,
    partition,
  );
  return row === undefined ? undefined : { container, partitionId: row['id'] as number };
}

/** Counts each driver no further than the best so far, and gives up on those that are not selective. */
function chooseDriver(
  database: Database,
  scope: Scope,
  drivers: readonly Driver[],
  mostRows: number,
): { readonly best: Driver | undefined; readonly probedRows: number } {
  let best: Driver | undefined;
  let bound = mostRows;
  let probedRows = 0;
  for (const driver of drivers) {
    let count = 0;
    for (const range of driver) {
      count += countRange(database, scope, range, bound + 1 - count);
      if (count > bound) break;
    }
    probedRows += count;
    if (count > bound) continue;
    best = driver;
    bound = count;
    if (bound === 0) break;
  }
  return { best, probedRows };
}

interface Row {
  readonly seq: number;
  readonly partition: string;
  readonly id: string;
  readonly etag: string;
  readonly expiresAt: number | null;
  readonly sizeBytes: number;
  readonly body: string;
}

class PageReader {
  readonly #database: Database;
  readonly #scope: Scope;
  readonly #request: PageRequest;
  readonly #probedRows: number;
  #visitedRows = 0;
  #visitedDocuments = 0;
  #visitedBytes = 0;
  #returnedBytes = 0;

  constructor(database: Database, scope: Scope, request: PageRequest, probedRows: number) {
    this.#database = database;
    this.#scope = scope;
    this.#request = request;
    this.#probedRows = probedRows;
  }

  /** In order of creation, all documents. */
  scan(after: Position | undefined): Page {
    const rows = scanDocuments(this.#database, this.#scope, after?.seq ?? 0);
    return this.#fill('scan', rows as Iterable<Row>, (row) => ({ seq: row.seq }));
  }

  /** Along the index of the sort field, as far as the filter allows on that field. */
  walk(sort: Sort, drivers: readonly Driver[], after: Position | undefined): Page {
    const path = pathName(sort.path);
    const bounds = drivers.find((driver) => driver.length === 1 && driver[0]?.path === path)?.[0];
    return this.#fill('walk', this.#walkTypes(path, sort, bounds, after), (row) => ({
      seq: row.seq,
      key: toIndexValue(fieldAt(parseBody(row), sort.path))!,
    }));
  }

  *#walkTypes(
    path: string,
    sort: Sort,
    bounds: FieldRange | undefined,
    after: Position | undefined,
  ): Iterable<Row> {
    const ascending = sort.direction === 'asc';
    const types = [fieldTypes.boolean, fieldTypes.number, fieldTypes.string];
    if (!ascending) types.reverse();
    for (const type of types) {
      const key = after?.key;
      if (key !== undefined && (ascending ? type < key.type : type > key.type)) continue;
      const range = bounds === undefined ? { path, type } : intersect(bounds, { path, type });
      if (range === undefined) continue;
      const start = key?.type === type ? { value: key.value, seq: after!.seq } : undefined;
      yield* scanField(this.#database, this.#scope, range, ascending, start) as Iterable<Row>;
    }
  }

  /** The documents of a selective condition, in order of creation. */
  gather(driver: Driver, after: Position | undefined): Page | undefined {
    const rows = this.#collect(driver)
      .filter((seq) => seq > (after?.seq ?? 0))
      .sort((a, b) => a - b);
    return this.#fill('gather', this.#load(rows), (row) => ({ seq: row.seq }));
  }

  /** The documents of a selective condition, sorted here. @returns undefined when they are too large for that. */
  gatherSorted(driver: Driver, sort: Sort, after: Position | undefined): Page | undefined {
    const matches: Required<Position>[] = [];
    for (const row of this.#load(this.#collect(driver))) {
      if (this.#visitedBytes > this.#request.budget.visitedBytes) return this.#startOver();
      const body = this.#match(row);
      const key = body === undefined ? undefined : toIndexValue(fieldAt(body, sort.path));
      if (key !== undefined) matches.push({ seq: row.seq, key });
    }
    const sign = sort.direction === 'asc' ? 1 : -1;
    const compare = (a: Required<Position>, b: Required<Position>) =>
      sign * (compareIndexValues(a.key, b.key) || a.seq - b.seq);
    const rest = matches.filter(
      (match) => after === undefined || compare(match, after as Required<Position>) > 0,
    );
    rest.sort(compare);
    // The candidates were weighed above; from here only the page itself counts.
    this.#startOver();
    const keys = new Map(rest.map((match) => [match.seq, match]));
    return this.#fill('gather', this.#load(rest.map((match) => match.seq)), (row) => keys.get(row.seq)!);
  }

  /** The page starts again with a whole budget. */
  #startOver(): undefined {
    this.#visitedDocuments = 0;
    this.#visitedBytes = 0;
  }

  #collect(driver: Driver): number[] {
    const found = new Set<number>();
    for (const range of driver)
      for (const row of scanRange(this.#database, this.#scope, range)) found.add(row['seq'] as number);
    this.#visitedRows += found.size;
    return [...found];
  }

  *#load(rows: readonly number[]): Iterable<Row> {
    for (const seq of rows) {
      const row = readDocument(this.#database, seq);
      if (row !== undefined) yield row as unknown as Row;
    }
  }

  /** @returns the body of a document that the filter selects. */
  #match(row: Row): JsonObject | undefined {
    this.#visitedRows += 1;
    this.#visitedDocuments += 1;
    this.#visitedBytes += row.sizeBytes;
    const { query, now } = this.#request;
    if (!isLive(row.expiresAt, now)) return undefined;
    const body = parseBody(row);
    return query.filter === undefined || evaluateFilter(query.filter, body) === true ? body : undefined;
  }

  /** Takes matching documents until the page is full or has cost enough. */
  #fill(plan: PageCost['plan'], rows: Iterable<Row>, positionOf: (row: Row) => Position): Page {
    const documents: StoredDocument[] = [];
    let last: Row | undefined;
    let end: Position | undefined;
    for (const row of rows) {
      if (last !== undefined && this.#isFull(documents.length)) {
        end = positionOf(last);
        break;
      }
      last = row;
      const body = this.#match(row);
      if (body === undefined) continue;
      this.#returnedBytes += row.sizeBytes;
      const { partition, id, etag } = row;
      documents.push({ container: this.#scope.container, partition, id, etag, body });
    }
    const cost = { plan, probedRows: this.#probedRows, visitedRows: this.#visitedRows };
    return { documents, cost, ...(end === undefined ? {} : { end }) };
  }

  #isFull(documents: number): boolean {
    const { limit, budget } = this.#request;
    return (
      documents >= limit ||
      this.#visitedDocuments >= budget.visitedDocuments ||
      this.#visitedBytes >= budget.visitedBytes ||
      this.#returnedBytes >= budget.returnedBytes
    );
  }
}

function parseBody(row: Row): JsonObject {
  return JSON.parse(row.body) as JsonObject;
}
