import { isAppError } from '../../../shared/core/errors.ts';
import type { DocumentKey, MetadataStore } from '../../../shared/platform/storage/documents.ts';

/** Adds one writer to a document by optimistic locking, with as many retries as needed. */
export async function addWriter(store: MetadataStore, key: DocumentKey, writer: number): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const { body, etag } = (await store.get<{ count: number; writers: readonly number[] }>(key))!;
    const next = { count: body.count + 1, writers: [...body.writers, writer] };
    try {
      await store.replace(key, next, etag);
      return;
    } catch (error) {
      if (!isAppError(error, 'PRECONDITION_FAILED') && !isAppError(error, 'RATE_LIMITED')) throw error;
    }
  }
  throw new Error(`writer ${writer} never got through`);
}
