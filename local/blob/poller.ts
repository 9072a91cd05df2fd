import type { ContainerClient } from '@azure/storage-blob';
import type { HostContext } from '../host-context.ts';
import { describe } from '../http/server.ts';
import { connectionName, requireConnection } from '../storage-queue/extension.ts';
import { createStorageQueueClient } from '../storage-queue/client.ts';
import type { TypedData } from '../worker/typed-data.ts';
import type { BlobReceipts } from './receipts.ts';
import type { ContainerScanner, PendingBlob } from './scanner.ts';
import { isDeferred, toBlobMetadata, toDeferredData, toPoisonMessage } from './trigger-data.ts';

const poisonQueueName = 'webjobs-blobtrigger-poison';

export interface BlobPoller {
  begin(): void;
  /** Waits for the calls under way. */
  stop(): Promise<void>;
}

export interface BlobPollerOptions {
  readonly context: HostContext;
  readonly client: ContainerClient;
  readonly scanner: ContainerScanner;
  readonly receipts: BlobReceipts;
  /** Shared by every container of the host. */
  readonly slots: { free: number };
}

/**
 * Polls one container at a steady pace. A blob's receipt is written once its function has succeeded or given up, so
 * a killed host calls again: functions see each version of a blob at least once. Only failures count as attempts;
 * a kill in the middle does not (the real host counts it), because a host that is killed often must not lose drops.
 */
export function createBlobPoller({
  context,
  client,
  scanner,
  receipts,
  slots,
}: BlobPollerOptions): BlobPoller {
  const { clock, log, hostJson } = context;
  const abort = new AbortController();
  const running = new Map<string, Promise<void>>();
  let isStorageDown = false;
  let loop: Promise<void> | undefined;

  async function poll(): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        for await (const pending of scanner.scan(abort.signal)) await startWork(pending);
        if (isStorageDown) log.log('info', 'Blob storage answers again', { container: client.containerName });
        isStorageDown = false;
      } catch (error) {
        if (abort.signal.aborted) return;
        // Said once, not twice a second.
        if (!isStorageDown)
          log.log('error', 'Blob storage cannot be reached; trying again', {
            container: client.containerName,
            error: (error as Error).message,
          });
        isStorageDown = true;
      }
      await clock.sleep(context.tuning.blobPollMs, abort.signal).catch(ignoreAbort);
    }
  }

  async function startWork(pending: PendingBlob): Promise<void> {
    const key = `${pending.subscription.fn.name}\n${pending.blob.name}`;
    if (running.has(key)) return;
    while (slots.free === 0 && !abort.signal.aborted) await clock.sleep(10, abort.signal).catch(ignoreAbort);
    if (abort.signal.aborted) return;
    slots.free -= 1;
    const work = handle(pending)
      .catch((error: unknown) => {
        log.log('error', 'A blob could not be handled; it will be tried again', {
          function: pending.subscription.fn.name,
          blob: `${pending.blob.container}/${pending.blob.name}`,
          error: describe(error),
        });
      })
      .finally(() => {
        slots.free += 1;
        running.delete(key);
      });
    running.set(key, work);
  }

  async function handle({ subscription, blob, params, failures }: PendingBlob): Promise<void> {
    const { fn, container } = subscription;
    const call = await readTrigger(client, { subscription, blob, params, failures });
    // Gone or overwritten since it was listed: the next scan knows better.
    if (!call) return;
    const threshold = hostJson.blobs.poisonBlobThreshold;
    if (failures < threshold) {
      try {
        await context.dispatch(fn, call);
        return receipts.write(fn.name, container, blob.name, { etag: blob.etag, failures, state: 'done' });
      } catch (error) {
        failures += 1;
        log.log('error', 'A blob function failed', {
          function: fn.name,
          blob: `${container}/${blob.name}`,
          attempt: failures,
          of: threshold,
          error: describe(error),
        });
        receipts.write(fn.name, container, blob.name, { etag: blob.etag, failures, state: 'failing' });
      }
    }
    if (failures < threshold) return;
    const queue = createStorageQueueClient(requireConnection(fn.trigger, context.settings));
    await queue.send(poisonQueueName, Buffer.from(toPoisonMessage(fn.name, blob)).toString('base64'));
    receipts.write(fn.name, container, blob.name, { etag: blob.etag, failures, state: 'poison' });
    log.log('error', 'A blob was given up', {
      function: fn.name,
      blob: `${container}/${blob.name}`,
      queue: poisonQueueName,
    });
  }

  return {
    begin() {
      loop = poll();
    },
    async stop() {
      abort.abort();
      await loop;
      await Promise.all(running.values());
    },
  };
}

async function readTrigger(
  client: ContainerClient,
  { subscription: { fn }, blob, params }: PendingBlob,
): Promise<
  { readonly trigger: TypedData; readonly metadata: Readonly<Record<string, TypedData>> } | undefined
> {
  const blobClient = client.getBlobClient(blob.name);
  const conditions = { ifMatch: blob.etag };
  try {
    const properties = await blobClient.getProperties({ conditions });
    const metadata = toBlobMetadata(blob, blobClient.url, properties, params);
    const trigger = isDeferred(fn.trigger)
      ? toDeferredData(connectionName(fn.trigger), blob)
      : { bytes: await blobClient.downloadToBuffer(0, undefined, { conditions }) };
    return { trigger, metadata };
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404 || statusCode === 412) return undefined;
    throw error;
  }
}

function ignoreAbort(): void {
  // The loop's condition ends it.
}
