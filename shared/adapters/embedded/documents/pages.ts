import type { DocumentQuery, StoredDocument } from '../../../platform/storage/documents.ts';
import type { IndexValue } from './fields.ts';

/**
 * What one page may cost. A page that reaches a limit ends early and carries a cursor, as the port allows; so
 * no query, however unlucky, reads more than this at once.
 */
export interface PageBudget {
  /** Up to this many candidates are fetched and sorted; with more, the sort index is walked. */
  readonly gatheredDocuments: number;
  /** After so many documents a walk that finds little is given up for one that asks other indexes first. */
  readonly sampledDocuments: number;
  /** Index rows of a walk that tells from other indexes which documents to read. */
  readonly walkedRows: number;
  readonly visitedDocuments: number;
  readonly visitedBytes: number;
  readonly returnedBytes: number;
}

export const defaultBudget: PageBudget = {
  gatheredDocuments: 1_000,
  sampledDocuments: 256,
  walkedRows: 200_000,
  visitedDocuments: 4_000,
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
  /** Index rows counted to choose the plan, or read to narrow it down. */
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
