import type { JsonObject } from '../../../core/json/json.ts';
import { memberAt } from '../../../core/json/member-at.ts';
import type { Sort, StoredDocument } from '../../../platform/storage/documents.ts';
import type { Database } from './database.ts';
import type { IndexValue } from './fields.ts';
import { compareIndexValues, fieldTypes, pathName, toIndexValue } from './fields.ts';
import type { DocumentRow as Row, Scope, Statement } from './index-scans.ts';
import {
  numberAhead,
  placeAhead,
  readDocument,
  scanDocuments,
  scanField,
  scanNumbers,
  scanRange,
} from './index-scans.ts';
import { evaluateFilter } from './matches.ts';
import type { Page, PageCost, PageRequest, Position } from './pages.ts';
import type { Driver, FieldRange } from './ranges.ts';
import { intersect } from './ranges.ts';
import type { RowSet } from './row-sets.ts';
import { findRowSet } from './row-sets.ts';
import { Sample } from './sample.ts';
import { isLive } from './writes.ts';

interface Match extends Required<Position> {
  readonly row?: Row;
  readonly body?: JsonObject;
}

export class PageReader {
  readonly #database: Database;
  readonly #scope: Scope;
  readonly #request: PageRequest;
  #probedRows: number;
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

  /**
   * Walks along the index first, which is fastest when most documents match. When few do, looks up the failing
   * conditions in their indexes, so that it reads only documents that pass those.
   */
  walkOrNarrow(drivers: readonly Driver[], after: Position | undefined): Page {
    const { query, budget } = this.#request;
    const { filter } = query;
    if (filter === undefined) return this.#walk(drivers, after);
    const sample = new Sample(filter, budget.sampledDocuments);
    const page = this.#walk(drivers, after, { sample });
    if (page !== undefined) return page;
    this.#startOver();
    const set = findRowSet(this.#database, this.#scope, sample.mostSelectivePart());
    if (set === undefined) return this.#walk(drivers, after);
    this.#probedRows += set.cost;
    const few = this.#collectFew(set);
    const gathered = few === undefined ? undefined : this.gather(few, after);
    return gathered ?? this.#walk(drivers, after, { test: set.test });
  }

  /** @returns undefined when the sample has too many failing documents */
  #walk(drivers: readonly Driver[], after: Position | undefined): Page;
  #walk(drivers: readonly Driver[], after: Position | undefined, how: { readonly test: Statement }): Page;
  #walk(
    drivers: readonly Driver[],
    after: Position | undefined,
    how: { readonly sample: Sample },
  ): Page | undefined;
  #walk(
    drivers: readonly Driver[],
    after: Position | undefined,
    how: { readonly test?: Statement; readonly sample?: Sample } = {},
  ): Page | undefined {
    const { sort } = this.#request.query;
    const { test, sample } = how;
    if (sort === undefined) {
      // All documents, in order of creation.
      const rows = test === undefined ? this.#scan(after) : this.#scanTested(after, test);
      return this.#fill('scan', rows, (row) => ({ seq: row.seq }), sample);
    }
    // Along the index of the sort field, as far as the filter allows on that field.
    const path = pathName(sort.path);
    const bounds = drivers.find((driver) => driver.length === 1 && driver[0]?.path === path)?.[0];
    const rows = this.#walkTypes(path, sort, bounds, after, test);
    return this.#fill('walk', rows, (row) => positionOf(row, sort), sample);
  }

  #scan(after: Position | undefined): Iterable<Row | Position> {
    return scanDocuments(this.#database, this.#scope, after?.seq ?? 0);
  }

  *#scanTested(after: Position | undefined, test: Statement): Iterable<Row | Position> {
    const { limit, budget } = this.#request;
    const first = after?.seq ?? 0;
    const upTo = numberAhead(this.#database, this.#scope, first, budget.walkedRows);
    // Nearly all documents that pass the test match the filter.
    const most = Math.min(budget.visitedDocuments, 2 * limit + budget.sampledDocuments);
    const numbers = scanNumbers(this.#database, this.#scope, { after: first, upTo, test, limit: most });
    yield* this.#load(numbers);
    const end = numbers.length < most ? upTo : numbers.at(-1);
    if (end !== undefined) yield { seq: end };
  }

  *#walkTypes(
    path: string,
    sort: Sort,
    bounds: FieldRange | undefined,
    after: Position | undefined,
    test: Statement | undefined,
  ): Iterable<Row | Position> {
    const ascending = sort.direction === 'asc';
    const types = [fieldTypes.boolean, fieldTypes.number, fieldTypes.string];
    if (!ascending) types.reverse();
    for (const type of types) {
      const key = after?.key;
      if (key !== undefined && (ascending ? type < key.type : type > key.type)) continue;
      const range = bounds === undefined ? { path, type } : intersect(bounds, { path, type });
      if (range === undefined) continue;
      const start = key?.type === type ? { value: key.value, seq: after!.seq } : undefined;
      const rows = this.#request.budget.walkedRows;
      const upTo =
        test === undefined
          ? undefined
          : placeAhead(this.#database, this.#scope, range, ascending, start, rows);
      const narrowing = test === undefined ? undefined : { test, ...(upTo && { upTo }) };
      yield* scanField(this.#database, this.#scope, range, ascending, start, narrowing);
      if (upTo !== undefined) {
        yield { seq: upTo.seq, key: { type, value: upTo.value as IndexValue['value'] } };
        return;
      }
    }
  }

  /** Reads the documents of a selective condition and sorts them. @returns undefined when they are too large */
  gather(numbers: readonly number[], after: Position | undefined): Page | undefined {
    const { sort } = this.#request.query;
    if (sort !== undefined) return this.#gatherSorted(numbers, sort, after);
    const rest = numbers.filter((seq) => seq > (after?.seq ?? 0)).sort((a, b) => a - b);
    return this.#fill('gather', this.#load(rest), (row) => ({ seq: row.seq }));
  }

  #gatherSorted(numbers: readonly number[], sort: Sort, after: Position | undefined): Page | undefined {
    const matches: Match[] = [];
    for (const row of this.#load(numbers)) {
      if (this.#visitedBytes > this.#request.budget.visitedBytes) return this.#startOver();
      const body = this.#match(row);
      const key = body === undefined ? undefined : toIndexValue(memberAt(body, sort.path));
      if (body === undefined || key === undefined) continue;
      // Keep the row for the page, unless it is large.
      const keep = this.#visitedBytes <= this.#request.budget.returnedBytes;
      matches.push({ seq: row.seq, key, ...(keep && { row, body }) });
    }
    const sign = sort.direction === 'asc' ? 1 : -1;
    const compare = (a: Required<Position>, b: Required<Position>) =>
      sign * (compareIndexValues(a.key, b.key) || a.seq - b.seq);
    const rest = matches.filter(
      (match) => after === undefined || compare(match, after as Required<Position>) > 0,
    );
    rest.sort(compare);
    return this.#fillMatches(rest);
  }

  #fillMatches(matches: readonly Match[]): Page {
    const documents: StoredDocument[] = [];
    for (const [index, match] of matches.entries()) {
      if (
        documents.length >= this.#request.limit ||
        this.#returnedBytes >= this.#request.budget.returnedBytes
      ) {
        const { seq, key } = matches[index - 1]!;
        return this.#toPage('gather', documents, { seq, key });
      }
      const [row = match.row!] = match.row === undefined ? this.#load([match.seq]) : [];
      documents.push(this.#toDocument(row, match.body ?? parseBody(row)));
    }
    return this.#toPage('gather', documents, undefined);
  }

  /** Resets the budget of the page. */
  #startOver(): undefined {
    this.#visitedDocuments = 0;
    this.#visitedBytes = 0;
    this.#returnedBytes = 0;
  }

  collect(driver: Driver): readonly number[] {
    const found = new Set<number>();
    for (const range of driver)
      for (const { seq } of scanRange(this.#database, this.#scope, range)) found.add(seq);
    this.#visitedRows += found.size;
    return [...found];
  }

  /** @returns undefined when there are too many to fetch and sort */
  #collectFew({ rows, test }: RowSet): readonly number[] | undefined {
    const { gatheredDocuments: most, walkedRows } = this.#request.budget;
    const limit = most + 1;
    if (rows === undefined && numberAhead(this.#database, this.#scope, 0, walkedRows) !== undefined)
      return undefined;
    const found =
      rows === undefined
        ? scanNumbers(this.#database, this.#scope, { after: 0, upTo: undefined, test, limit })
        : this.#database
            .prepare<Pick<Row, 'seq'>>(`${rows.sql} LIMIT ?`)
            .all(...rows.values, limit)
            .map(({ seq }) => seq);
    return found.length > most ? undefined : [...new Set(found)];
  }

  *#load(rows: readonly number[]): Iterable<Row> {
    for (const seq of rows) {
      const row = readDocument(this.#database, seq);
      if (row !== undefined) yield row;
    }
  }

  /** @returns the body of a matching document */
  #match(row: Row, sample?: Sample): JsonObject | undefined {
    this.#visitedRows += 1;
    this.#visitedDocuments += 1;
    this.#visitedBytes += row.sizeBytes;
    const { query, now } = this.#request;
    if (!isLive(row.expiresAt, now)) return undefined;
    const body = parseBody(row);
    if (query.filter === undefined || evaluateFilter(query.filter, body) === true) return body;
    sample?.add(body);
    return undefined;
  }

  /**
   * Collects matching documents until the page is full or over budget. A position instead of a row ends the page with a
   * cursor.
   */
  #fill(
    plan: PageCost['plan'],
    rows: Iterable<Row | Position>,
    positionOf: (row: Row) => Position,
    sample?: Sample,
  ): Page | undefined {
    const documents: StoredDocument[] = [];
    let last: Row | undefined;
    for (const row of rows) {
      if (!('body' in row)) return this.#toPage(plan, documents, row);
      if (last !== undefined && this.#isFull(documents.length))
        return this.#toPage(plan, documents, positionOf(last));
      last = row;
      const body = this.#match(row, sample);
      if (body !== undefined) documents.push(this.#toDocument(row, body));
      else if (sample?.hasFewMatches(this.#visitedDocuments) === true) return undefined;
    }
    return this.#toPage(plan, documents, undefined);
  }

  #toDocument(row: Row, body: JsonObject): StoredDocument {
    this.#returnedBytes += row.sizeBytes;
    const { partition, id, etag } = row;
    return { container: this.#scope.container, partition, id, etag, body };
  }

  #toPage(plan: PageCost['plan'], documents: readonly StoredDocument[], end: Position | undefined): Page {
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

function positionOf(row: Row, sort: Sort): Position {
  return { seq: row.seq, key: toIndexValue(memberAt(parseBody(row), sort.path))! };
}

function parseBody(row: Row): JsonObject {
  return JSON.parse(row.body) as JsonObject;
}
