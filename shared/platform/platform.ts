import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { BlobStore } from './storage/blobs.ts';
import type { MetadataStore } from './storage/documents.ts';
import type { MessageQueue } from './storage/queue.ts';

/** What the app runs on: `connect` chooses the adapters, tests bring their own. */
export interface Platform {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly queue: MessageQueue;
  /** For what happens outside of any one invocation. */
  readonly logger: Logger;
}
