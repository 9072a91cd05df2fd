import type { DocumentQuery, StoredDocument } from '../../../platform/storage/documents.ts';
import type { IndexValue } from './fields.ts';

/**
 * Limits the cost of one page. A page that reaches a limit ends early with a cursor, which the port allows.
 */
export interface PageBudget {
  /** Up to this many candidates are fetched and sorted; with more, the page walks along the sort index. */
  readonly gatheredDocuments: number;
  /** After this many documents, a walk that finds few matches restarts with the help of other indexes. */
  readonly sampledDocuments: number;
  /** Index rows that such a walk reads. */
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

/** The last document that a page visited. */
export interface Position {
  readonly seq: number;
  /** Present when the query sorts. */
  readonly key?: IndexValue;
}

export interface PageCost {
  /** `gather`: by a selective filter; `walk`: along the sort index; `scan`: in order of creation. */
  readonly plan: 'gather' | 'walk' | 'scan' | 'nothing';
  /** Index rows counted to choose the plan or read to narrow the scan. */
  readonly probedRows: number;
  /** Index rows and documents read. */
  readonly visitedRows: number;
}

export interface Page {
  readonly documents: readonly StoredDocument[];
  readonly end?: Position;
  readonly cost: PageCost;
}

export interface PageRequest {
  readonly query: DocumentQuery;
  /** The limit of this page, at most the query's `limit`. */
  readonly limit: number;
  readonly after: Position | undefined;
  /** Milliseconds since the Unix epoch. Documents that expired before are skipped. */
  readonly now: number;
  readonly budget: PageBudget;
}
