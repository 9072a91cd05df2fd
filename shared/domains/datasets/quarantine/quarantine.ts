import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { AppError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/ids.ts';
import type { JsonObject } from '../../../core/json.ts';
import { blobContainers } from '../../../core/names.ts';
import type { BlobRef, BlobStore } from '../../../platform/storage/blobs.ts';
import type { Clock } from '../../../core/clock.ts';
import type { Page } from '../../../platform/storage/page.ts';
import { validate } from '../../../core/validate.ts';
import type { z } from 'zod';
import type { DatasetStore } from '../dataset-store.ts';
import { badRowSchema } from './quarantine-entry.ts';

export type QuarantinedRow = z.infer<typeof badRowSchema>;

export interface QuarantineDeps {
  readonly blobs: BlobStore;
  readonly store: DatasetStore;
  readonly clock: Clock;
}

const maxResubmissions = 100;

/** The rows that did not become rows, and their way back. */
export class Quarantine {
  readonly #deps: QuarantineDeps;

  constructor(deps: QuarantineDeps) {
    this.#deps = deps;
  }

  /**
   * A page of a file's bad rows, as they were found.
   *
   * @param page.cursor the number of rows before the page
   * @throws NOT_FOUND; INVALID_ARGUMENT for a cursor that is none
   */
  async listRows(
    dataset: string,
    quarantineId: string,
    page: { readonly cursor?: string; readonly limit: number },
  ): Promise<Page<QuarantinedRow>> {
    const { container, blob } = await this.#deps.store.getQuarantine(dataset, quarantineId);
    const skip = Number(page.cursor ?? 0);
    if (!Number.isSafeInteger(skip) || skip < 0)
      throw new AppError('INVALID_ARGUMENT', 'The cursor is not one of this listing.');
    const { body } = await this.#deps.blobs.open({ container, name: blob });
    const bytes = Readable.from(body);
    const lines = createInterface({ input: bytes, crlfDelay: Infinity });
    const items: QuarantinedRow[] = [];
    let at = 0;
    try {
      for await (const line of lines) {
        if (at >= skip + page.limit) return { items, cursor: String(at) };
        if (at >= skip) items.push(validate(badRowSchema, JSON.parse(line), blob));
        at += 1;
      }
    } finally {
      lines.close();
      bytes.destroy();
    }
    return { items };
  }

  /**
   * Drops rows that somebody put right into the landing container, to be appended (or merged, where the dataset does
   * so). The same rows again are the same file.
   *
   * @param rows each an object with a member for each column
   * @returns the blob that was dropped: its ingestion tells what became of it
   */
  async resubmit(
    dataset: string,
    quarantineId: string,
    rows: readonly JsonObject[],
    by: string,
  ): Promise<BlobRef> {
    const { blobs, store, clock } = this.#deps;
    const [entry, settings] = await Promise.all([
      store.getQuarantine(dataset, quarantineId),
      store.getSettings(dataset),
    ]);
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const name = `${dataset}/resubmitted/${quarantineId}-${sha256(text).slice(0, 16)}.jsonl`;
    const ref = { container: blobContainers.landing, name };
    const mode = settings.mode === 'merge' ? 'merge' : 'append';
    await blobs.put(ref, text, { contentType: 'application/x-ndjson', metadata: { mode } });
    const others = (entry.resubmissions ?? []).filter((each) => each.name !== name);
    const resubmissions = [{ name, by, at: clock.now() }, ...others].slice(0, maxResubmissions);
    await store.putQuarantine({ ...entry, resubmissions });
    return ref;
  }
}
