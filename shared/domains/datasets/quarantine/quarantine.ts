import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../../../core/clock.ts';
import { openCursor, sealCursor } from '../../../core/cursor.ts';
import { AppError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/ids.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import { blobContainers } from '../../../core/names/resources.ts';
import { validate } from '../../../core/validate.ts';
import type { BlobReader, BlobRef, BlobWriter } from '../../../platform/storage/blobs.ts';
import type { Page, PageRequest } from '../../../platform/storage/page.ts';
import type { DatasetDocuments, DocumentKind } from '../catalog/dataset-documents.ts';
import type { Settings } from '../catalog/settings.ts';
import { badRowSchema, type QuarantineEntry } from './quarantine-entry.ts';

export type QuarantinedRow = z.infer<typeof badRowSchema>;

export interface QuarantineDeps {
  readonly blobs: BlobReader & BlobWriter;
  readonly documents: DatasetDocuments;
  readonly settings: Pick<Settings, 'get'>;
  readonly clock: Clock;
}

const maxResubmissions = 100;

/** The quarantined rows of datasets, and how corrected rows are resubmitted. */
export class Quarantine {
  readonly #deps: QuarantineDeps;
  readonly #entries: DocumentKind<QuarantineEntry>;

  constructor(deps: QuarantineDeps) {
    this.#deps = deps;
    this.#entries = deps.documents.kind('quarantine');
  }

  /** Records that rows of a file are in quarantine. Recording them again changes nothing. */
  async record(entry: QuarantineEntry): Promise<void> {
    const known = await this.#entries.find(entry.dataset, documentId(entry));
    if (!known) await this.#entries.put(entry.dataset, documentId(entry), entry);
  }

  /** Files with quarantined rows, newest first. */
  list(dataset: string, page: PageRequest): Promise<Page<QuarantineEntry>> {
    return this.#entries.list(dataset, { by: 'quarantinedAt', direction: 'desc' }, page);
  }

  /**
   * A page of a file's quarantined rows, in the order in which ingestion found them.
   *
   * @throws NOT_FOUND; INVALID_ARGUMENT for an invalid cursor
   */
  async listRows(dataset: string, quarantineId: string, page: PageRequest): Promise<Page<QuarantinedRow>> {
    const { container, blob } = await this.#get(dataset, quarantineId);
    const query = { dataset, quarantineId };
    const skip = page.cursor === undefined ? 0 : openCursor(query, page.cursor, z.int().min(0));
    const { body } = await this.#deps.blobs.open({ container, name: blob });
    const bytes = Readable.from(body);
    const lines = createInterface({ input: bytes, crlfDelay: Infinity });
    const items: QuarantinedRow[] = [];
    let at = 0;
    try {
      for await (const line of lines) {
        if (at >= skip + page.limit) return { items, cursor: sealCursor(query, at) };
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
   * Drops corrected rows into the landing container. They are merged if the dataset's mode is `merge`, and appended
   * otherwise. Submitting the same rows again is the same file.
   *
   * @param rows each an object with a member for each column
   * @returns the blob, for the caller to ingest
   * @throws NOT_FOUND
   */
  async resubmit(
    dataset: string,
    quarantineId: string,
    rows: readonly JsonObject[],
    by: string,
  ): Promise<BlobRef> {
    const { blobs, settings, clock } = this.#deps;
    const [entry, { mode }] = await Promise.all([this.#get(dataset, quarantineId), settings.get(dataset)]);
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const name = `${dataset}/resubmitted/${quarantineId}-${sha256(text).slice(0, 16)}.jsonl`;
    const ref = { container: blobContainers.landing, name };
    await blobs.put(ref, text, {
      contentType: 'application/x-ndjson',
      metadata: { mode: mode === 'merge' ? 'merge' : 'append' },
    });
    const others = (entry.resubmissions ?? []).filter((each) => each.name !== name);
    const resubmissions = [{ name, by, at: clock.now() }, ...others].slice(0, maxResubmissions);
    await this.#entries.put(dataset, documentId(entry), { ...entry, resubmissions });
    return ref;
  }

  /** @throws NOT_FOUND */
  async #get(dataset: string, quarantineId: string): Promise<QuarantineEntry> {
    const entry = await this.#entries.find(dataset, documentId({ quarantineId }));
    if (entry) return entry;
    throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no quarantined file "${quarantineId}".`, {
      dataset,
      quarantineId,
    });
  }
}

function documentId({ quarantineId }: Pick<QuarantineEntry, 'quarantineId'>): string {
  return `quarantine-${quarantineId}`;
}
