import type { Clock } from '../../../core/clock.ts';
import type { Ingestion } from '../../datasets/ingestion/ingestion.ts';
import type { VersionProfiles } from '../../datasets/profiles/version-profiles.ts';
import type { FileCache } from '../../datasets/reading/file-cache.ts';
import type { VersionResolver } from '../../datasets/versions/readable-version.ts';
import type { Registration } from '../../registry/registration.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Scoring } from '../../serving/scoring.ts';
import type { BlobStore } from '../../../platform/storage/blobs.ts';
import type { MessageQueue } from '../../../platform/storage/queue.ts';
import type { Tracking } from '../../tracking/tracking.ts';
import type { TrainModel } from '../../training/ports.ts';
import type { Step } from '../step.ts';

/** What steps work with: this is where the domains meet. */
export interface StepServices {
  readonly clock: Clock;
  readonly blobs: BlobStore;
  readonly queue: MessageQueue;
  readonly ingestion: Ingestion;
  readonly versions: VersionResolver;
  readonly files: FileCache;
  readonly profiles: VersionProfiles;
  readonly tracking: Pick<Tracking, 'experiments' | 'runs' | 'links'>;
  readonly registry: Registry;
  readonly registration: Registration;
  readonly scoring: Scoring;
  readonly trainModel: TrainModel;
}

/** Keeps the types of one step's schemas together; the catalog forgets them. */
export function defineStep<Params, Needs, Output>(
  step: Step<StepServices, Params, Needs, Output>,
): Step<StepServices> {
  return step as unknown as Step<StepServices>;
}
