import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { BlobStore } from './storage/blobs.ts';
import type { MetadataStore } from './storage/documents.ts';
import type { MessageQueue } from './storage/queue.ts';

/** The adapters that the app runs on. `connect` chooses them; tests bring their own. */
export interface Platform {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly queue: MessageQueue;
  /** For work outside of invocations. */
  readonly logger: Logger;
}
