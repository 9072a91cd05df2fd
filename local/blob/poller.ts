import type { ContainerClient } from '@azure/storage-blob';
import type { HostContext } from '../host-context.ts';
import type { Semaphore } from '../../shared/core/async/semaphore.ts';
import { describeError } from '../describe-error.ts';
import { connectionName, requireConnection } from '../storage-queue/extension.ts';
import { createStorageQueueClient } from '../storage-queue/client.ts';
import type { TypedData } from '../worker/typed-data.ts';
import type { BlobReceipts } from './receipts.ts';
import type { ContainerScanner, PendingBlob } from './scanner.ts';
import { isDeferred, toBlobMetadata, toDeferredData, toPoisonMessage } from './trigger-data.ts';

const poisonQueueName = 'webjobs-blobtrigger-poison';

export interface BlobPoller {
  begin(): void;
  /** Waits for running calls. */
  stop(): Promise<void>;
}

export interface BlobPollerDeps extends Pick<
  HostContext,
  'clock' | 'dispatch' | 'hostJson' | 'log' | 'settings' | 'tuning'
> {
  readonly client: ContainerClient;
  readonly scanner: ContainerScanner;
  readonly receipts: BlobReceipts;
  /** Limits the calls of all containers of the host. */
  readonly calls: Semaphore;
}

/**
 * Polls one container at an interval. Writes a blob's receipt after its function has succeeded or failed for good, so
 * that a killed host calls again: functions receive each version of a blob at least once. Only failures count as
 * attempts. The real host counts a kill in the middle, too; here, often killed, it would lose drops.
 */
export function createBlobPoller(deps: BlobPollerDeps): BlobPoller {
  const { client, scanner, receipts, calls, clock, log } = deps;
  const abort = new AbortController();
  const running = new Map<string, Promise<void>>();
  let isStorageDown = false;
  let loop: Promise<void> | undefined;

  async function poll(): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        for await (const pending of scanner.scan(abort.signal)) await startWork(pending);
        if (isStorageDown)
          log.log('info', 'Blob storage is available again', { container: client.containerName });
        isStorageDown = false;
      } catch (error) {
        if (abort.signal.aborted) return;
        // Logged once, not at every poll.
        if (!isStorageDown)
          log.log('error', 'Blob storage is not available; retrying', {
            container: client.containerName,
            error: (error as Error).message,
          });
        isStorageDown = true;
      }
      await clock.sleep(deps.tuning.blobPollMs, abort.signal).catch(ignoreAbort);
    }
  }

  async function startWork(pending: PendingBlob): Promise<void> {
    const key = `${pending.subscription.fn.name}\n${pending.blob.name}`;
    if (running.has(key)) return;
    const permit = await calls.acquire(abort.signal);
    const work = handle(pending)
      .catch((error: unknown) => {
        log.log('error', 'Processing a blob failed; retrying', {
          function: pending.subscription.fn.name,
          blob: `${pending.blob.container}/${pending.blob.name}`,
          error: describeError(error),
        });
      })
      .finally(() => {
        permit[Symbol.dispose]();
        running.delete(key);
      });
    running.set(key, work);
  }

  async function handle({ subscription, blob, params, failures }: PendingBlob): Promise<void> {
    const { fn, container } = subscription;
    const call = await readTrigger(client, { subscription, blob, params, failures });
    // Deleted or overwritten since it was listed: the next scan finds the current version.
    if (!call) return;
    const threshold = deps.hostJson.blobs.poisonBlobThreshold;
    if (failures < threshold) {
      try {
        await deps.dispatch(fn, call);
        return receipts.write(fn.name, container, blob.name, { etag: blob.etag, failures, state: 'done' });
      } catch (error) {
        failures += 1;
        log.log('error', 'A blob function failed', {
          function: fn.name,
          blob: `${container}/${blob.name}`,
          attempt: failures,
          of: threshold,
          error: describeError(error),
        });
        receipts.write(fn.name, container, blob.name, { etag: blob.etag, failures, state: 'failing' });
      }
    }
    if (failures < threshold) return;
    const queue = createStorageQueueClient(requireConnection(fn.trigger, deps.settings));
    await queue.send(poisonQueueName, Buffer.from(toPoisonMessage(fn.name, blob)).toString('base64'));
    receipts.write(fn.name, container, blob.name, { etag: blob.etag, failures, state: 'poison' });
    log.log('error', 'A blob failed for good; moved to the poison queue', {
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
  // The loop's condition ends the loop.
}
