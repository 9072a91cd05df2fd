import { expect } from 'vitest';
import type { AppError, ErrorCode } from '../../../shared/core/errors.ts';
import { isAppError } from '../../../shared/core/errors.ts';
import type { JsonObject } from '../../../shared/core/json/json.ts';
import type {
  BatchOperation,
  DocumentKey,
  DocumentQuery,
  MetadataStore,
  StoredDocument,
} from '../../../shared/platform/storage/documents.ts';

export interface DocumentsFixture {
  readonly store: MetadataStore;
  readonly container: string;
  /** Another client of the same store. */
  reopen(): Promise<MetadataStore>;
  /** Advances the store's clock. */
  passTime(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface DocumentsHarness {
  readonly name: string;
  /** Why the suite cannot run here. */
  readonly skip?: string;
  /** Why single tests cannot run here. */
  readonly skipTimeToLive?: string;
  readonly skipCodePoints?: string;
  open(): Promise<DocumentsFixture>;
}

/** The context of each part of the contract: one store, in which every test has its own partitions. */
export interface ContractContext {
  readonly harness: DocumentsHarness;
  /** Differs from run to run. */
  readonly suite: string;
  readonly fixture: () => DocumentsFixture;
  readonly store: () => MetadataStore;
  readonly container: () => string;
  readonly newPartition: () => string;
  readonly newKey: (id?: string) => DocumentKey;
  /** Creates a document for each name, in one partition. @returns the partition */
  readonly fill: (bodies: Readonly<Record<string, JsonObject>>, partition?: string) => Promise<string>;
  readonly idsOf: (
    query: Omit<DocumentQuery, 'container' | 'limit'>,
    limit?: number,
  ) => Promise<readonly string[]>;
}

/** Reads all pages. */
export async function readAll(
  store: MetadataStore,
  query: DocumentQuery,
): Promise<readonly StoredDocument[]> {
  const documents: StoredDocument[] = [];
  let { cursor } = query;
  for (let pages = 0; pages < 1_000; pages += 1) {
    const page = await store.list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.documents.length).toBeLessThanOrEqual(query.limit);
    documents.push(...page.documents);
    ({ cursor } = page);
    if (cursor === undefined) return documents;
  }
  throw new Error('the pages do not end');
}

/** @returns the error that the work fails with. */
export async function failureOf(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isAppError(error)) throw new Error('no failure, or not one of the port', { cause: error });
  return error;
}

export async function expectError(work: Promise<unknown>, code: ErrorCode): Promise<AppError> {
  const error = await failureOf(work);
  expect(error).toMatchObject({ code });
  return error;
}

export function creations(count: number, text = ''): BatchOperation[] {
  return Array.from({ length: count }, (_, index) => ({ kind: 'create', id: `d${index}`, body: { text } }));
}

/** The suffix of a skipped test's title. */
export function reason(skip: string | undefined): string {
  return skip === undefined ? '' : ` (skipped: ${skip})`;
}
