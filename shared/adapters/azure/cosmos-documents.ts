import type { CosmosClientOptions, RequestOptions } from '@azure/cosmos';
import { CosmosClient } from '@azure/cosmos';
import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { sealDocumentCursor } from '../../platform/storage/document-cursor.ts';
import { checkQuery } from '../../platform/storage/document-query-rules.ts';
import { checkBatch, checkEtag, checkKey } from '../../platform/storage/document-rules.ts';
import type {
  BatchOperation,
  DocumentKey,
  DocumentPage,
  DocumentQuery,
  MetadataStore,
  StoredDocument,
  WriteOptions,
} from '../../platform/storage/documents.ts';
import { translateCosmosError, translateStatus } from './cosmos/errors.ts';
import type { StoredItem } from './cosmos/items.ts';
import { readBatch, toBatchInput, toDocument, toItem } from './cosmos/items.ts';
import type { QueryContext } from './cosmos/paging.ts';
import { cosmosAdapter, readPageAcross, readPartitionPage } from './cosmos/paging.ts';
import { withTimeout } from '../../core/async/with-timeout.ts';

export interface CosmosDocumentsOptions {
  readonly endpoint: string;
  readonly database: string;
  /** A managed identity in Azure; a key only for an emulator or a test server. */
  readonly credential: NonNullable<CosmosClientOptions['aadCredentials']> | { readonly key: string };
  /** False for a server without region discovery; default true. */
  readonly discoverEndpoints?: boolean;
  /** Retries of a throttled request; default 3. */
  readonly throttledRetries?: number;
  /** Limits one operation with its retries; default 10,000. */
  readonly timeoutMs?: number;
  /** Called with the cost of each request. */
  readonly onCharge?: (charge: { readonly operation: string; readonly requestUnits: number }) => void;
}

/**
 * Implements `MetadataStore` over Azure Cosmos DB for NoSQL. A document is one item: the members of its body at the top
 * level, as `c["metrics"]["auc"]`, beside `id`, the partition key `pk`, the unique `_key` (for paging) and `ttl`. Bicep
 * declares the containers: partition key `/pk`, time to live on without a default (-1).
 */
export function createCosmosDocuments(options: CosmosDocumentsOptions): MetadataStore {
  return new CosmosDocuments(options);
}

/** Fails early, because HTTP callers wait, and steps and queues retry. */
const defaultTimeoutMs = 10_000;

/** A shorter timeout for pings, so that those of several health checks do not pile up. */
const maxPingMs = 5_000;

class CosmosDocuments implements MetadataStore {
  readonly #options: CosmosDocumentsOptions;
  readonly #client: CosmosClient;

  constructor(options: CosmosDocumentsOptions) {
    this.#options = options;
    const { endpoint, credential, discoverEndpoints = true, timeoutMs = defaultTimeoutMs } = options;
    this.#client = new CosmosClient({
      endpoint,
      ...('key' in credential ? { key: credential.key } : { aadCredentials: credential }),
      consistencyLevel: 'Session',
      connectionPolicy: {
        enableEndpointDiscovery: discoverEndpoints,
        enableBackgroundEndpointRefreshing: discoverEndpoints,
        requestTimeout: timeoutMs,
        retryOptions: {
          maxRetryAttemptCount: options.throttledRetries ?? 3,
          fixedRetryIntervalInMilliseconds: 0,
          maxWaitTimeInSeconds: Math.ceil(timeoutMs / 1_000),
        },
      },
    });
  }

  get<T extends JsonObject>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    return this.#run('get', async (signal) => {
      checkKey(key);
      const response = await this.#item(key).read<StoredItem>({ abortSignal: signal });
      this.#charge('get', response.requestCharge);
      if (response.resource !== undefined) return toDocument<T>(key.container, response.resource);
      const { statusCode, substatus } = response;
      const error = translateStatus(statusCode, substatus === undefined ? {} : { substatus }, response);
      // Only a 404 without a substatus means that the document is missing.
      if (error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
  }

  create<T extends JsonObject>(
    key: DocumentKey,
    body: T,
    options?: WriteOptions,
  ): Promise<StoredDocument<T>> {
    return this.#run('create', async (abortSignal) => {
      const item = toItem(key, body, options?.ttlSeconds);
      const { items } = this.#container(key.container);
      return this.#written<T>('create', key, item, await items.create(item, { abortSignal }));
    });
  }

  replace<T extends JsonObject>(
    key: DocumentKey,
    body: T,
    etag: string,
    options?: WriteOptions,
  ): Promise<StoredDocument<T>> {
    return this.#run('replace', async (abortSignal) => {
      const item = toItem(key, body, options?.ttlSeconds);
      const response = await this.#item(key).replace(item, { abortSignal, ...ifMatch(etag) });
      return this.#written<T>('replace', key, item, response);
    });
  }

  upsert<T extends JsonObject>(
    key: DocumentKey,
    body: T,
    options?: WriteOptions,
  ): Promise<StoredDocument<T>> {
    return this.#run('upsert', async (abortSignal) => {
      const item = toItem(key, body, options?.ttlSeconds);
      const { items } = this.#container(key.container);
      return this.#written<T>('upsert', key, item, await items.upsert(item, { abortSignal }));
    });
  }

  delete(key: DocumentKey, etag?: string): Promise<void> {
    return this.#run('delete', async (abortSignal) => {
      checkKey(key);
      const response = await this.#item(key).delete({
        abortSignal,
        ...(etag === undefined ? {} : ifMatch(etag)),
      });
      this.#charge('delete', response.requestCharge);
    });
  }

  batch(
    container: string,
    partition: string,
    operations: readonly BatchOperation[],
  ): Promise<readonly (string | undefined)[]> {
    return this.#run('batch', async (abortSignal) => {
      checkBatch(container, partition, operations);
      const inputs = operations.map((operation) =>
        toBatchInput({ container, partition, id: operation.id }, operation),
      );
      const { items } = this.#container(container);
      const response = await items.batch(inputs, partition, { abortSignal });
      this.#charge('batch', Number(response.headers?.['x-ms-request-charge'] ?? 0));
      return readBatch(operations, response.result ?? []);
    });
  }

  list<T extends JsonObject>(query: DocumentQuery): Promise<DocumentPage<T>> {
    return this.#run('list', async (signal) => {
      checkQuery(query);
      const context: QueryContext = {
        container: this.#container(query.container),
        signal,
        onCharge: (requestUnits) => this.#charge('list', requestUnits),
      };
      const page =
        query.partition === undefined
          ? await readPageAcross(context, query)
          : await readPartitionPage(context, query, query.partition);
      const documents = page.items.map((item) => toDocument<T>(query.container, item));
      return page.end === undefined
        ? { documents }
        : { documents, cursor: sealDocumentCursor(cosmosAdapter, query, page.end) };
    });
  }

  ping(): Promise<void> {
    return this.#run('ping', async (abortSignal) => {
      await this.#client.database(this.#options.database).read({ abortSignal });
    });
  }

  async close(): Promise<void> {
    this.#client.dispose();
  }

  #container(name: string) {
    return this.#client.database(this.#options.database).container(name);
  }

  #item(key: DocumentKey) {
    return this.#container(key.container).item(key.id, key.partition);
  }

  #written<T extends JsonObject>(
    operation: string,
    key: DocumentKey,
    item: JsonObject,
    response: { readonly etag: string; readonly requestCharge: number },
  ): StoredDocument<T> {
    this.#charge(operation, response.requestCharge);
    return toDocument<T>(key.container, { ...item, _etag: response.etag } as StoredItem);
  }

  #charge(operation: string, requestUnits: number): void {
    this.#options.onCharge?.({ operation, requestUnits });
  }

  /**
   * Applies one timeout to an operation with all retries of the SDK. Its own limits add up (10 attempts of a second
   * after a broken connection, 120 to find another region, those of the identity within each), and the delay of a
   * throttled request is unlimited.
   */
  async #run<T>(operation: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs: longestMs = defaultTimeoutMs } = this.#options;
    const timeoutMs = operation === 'ping' ? Math.min(longestMs, maxPingMs) : longestMs;
    const toError = () =>
      new AppError('TIMEOUT', 'The metadata store did not answer in time.', { operation, timeoutMs });
    try {
      return await withTimeout({ timeoutMs, toError }, work);
    } catch (error) {
      throw translateCosmosError(error);
    }
  }
}

function ifMatch(etag: string): Pick<RequestOptions, 'accessCondition'> {
  checkEtag(etag);
  return { accessCondition: { type: 'IfMatch', condition: etag } };
}
