import type { BlobItem, ContainerClient } from '@azure/storage-blob';
import type { BindingTemplate } from '../settings/binding-template.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import type { BlobReceipt, BlobReceipts } from './receipts.ts';
import { quoteEtag, type SeenBlob } from './trigger-data.ts';

/** A function that listens to a container. */
export interface BlobSubscription {
  readonly fn: FunctionEntry;
  readonly container: string;
  /** Matches the name within the container; undefined matches every blob. */
  readonly template: BindingTemplate | undefined;
}

export interface PendingBlob {
  readonly subscription: BlobSubscription;
  readonly blob: SeenBlob;
  readonly params: Readonly<Record<string, string>>;
  readonly failures: number;
}

/** The real host's limit for one poll of a container. */
const scanLimit = 10_000;
const pageSize = 1000;

/**
 * Searches a container for blobs that a function has not processed. A scan reads at most `scanLimit` blobs and the next
 * one continues there, so that the cost of a scan does not grow with the container.
 */
export class ContainerScanner {
  readonly #client: ContainerClient;
  readonly #subscriptions: readonly BlobSubscription[];
  readonly #receipts: BlobReceipts;
  readonly #prefix: string;
  #continuation: string | undefined;

  constructor(client: ContainerClient, subscriptions: readonly BlobSubscription[], receipts: BlobReceipts) {
    this.#client = client;
    this.#subscriptions = subscriptions;
    this.#receipts = receipts;
    this.#prefix = commonPrefix(subscriptions.map(({ template }) => template?.prefix ?? ''));
  }

  /** @throws when storage is not available. A missing container has no blobs. */
  async *scan(signal: AbortSignal): AsyncGenerator<PendingBlob> {
    for (let seen = 0; seen < scanLimit; seen += pageSize) {
      const items = await this.#listPage(signal);
      for (const subscription of this.#subscriptions) yield* this.#findPending(subscription, items);
      if (this.#continuation === undefined) return;
    }
  }

  async #listPage(abortSignal: AbortSignal): Promise<readonly BlobItem[]> {
    const options = { abortSignal, ...(this.#prefix && { prefix: this.#prefix }) };
    const from = this.#continuation;
    this.#continuation = undefined;
    const pages = this.#client
      .listBlobsFlat(options)
      .byPage({ maxPageSize: pageSize, ...(from !== undefined && { continuationToken: from }) });
    try {
      const page = await pages.next();
      if (page.done) return [];
      const response = page.value as { segment: { blobItems: BlobItem[] }; continuationToken?: string };
      this.#continuation = response.continuationToken || undefined;
      return response.segment.blobItems;
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return [];
      throw error;
    }
  }

  *#findPending(subscription: BlobSubscription, items: readonly BlobItem[]): Generator<PendingBlob> {
    const { fn, container, template } = subscription;
    if (items.length === 0) return;
    const names = items.map(({ name }) => name);
    const receipts = this.#receipts.readPage(fn.name, container, names);
    for (const item of items) {
      const etag = quoteEtag(item);
      const receipt: BlobReceipt | undefined = receipts.get(item.name);
      const isSame = receipt?.etag === etag;
      if (isSame && receipt.state !== 'failing') continue;
      const params = template ? template.read(item.name) : {};
      if (params)
        yield {
          subscription,
          blob: { container, name: item.name, etag },
          params,
          failures: isSame ? receipt.failures : 0,
        };
    }
  }
}

function commonPrefix(prefixes: readonly string[]): string {
  const [first = '', ...rest] = prefixes;
  let length = first.length;
  while (!rest.every((prefix) => prefix.startsWith(first.slice(0, length)))) length -= 1;
  return first.slice(0, length);
}
