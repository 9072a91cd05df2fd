import type { Clock } from '../../../core/clock.ts';
import type { BlobStore } from '../../../platform/storage/blobs.ts';
import type { MessageQueue } from '../../../platform/storage/queue.ts';
import type { z } from 'zod';
import type { Datasets } from '../../datasets/datasets.ts';
import type { Registration } from '../../registry/registration.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Scoring } from '../../serving/scoring.ts';
import type { Tracking } from '../../tracking/tracking.ts';
import type { Training } from '../../training/training.ts';
import type { InputSchemas, TypedStep } from '../step.ts';

/** What steps work with: the domains as the app has them, and the platform below. */
export interface StepServices {
  readonly platform: {
    readonly clock: Clock;
    readonly blobs: BlobStore;
    readonly queue: MessageQueue;
  };
  readonly datasets: Datasets;
  readonly tracking: Tracking;
  readonly registry: Registry;
  readonly registration: Registration;
  readonly training: Training;
  readonly scoring: Scoring;
}

/** Infers a step's types from its schemas. */
export function defineStep<Params extends z.ZodType, Inputs extends InputSchemas, Output extends z.ZodType>(
  step: TypedStep<StepServices, Params, Inputs, Output>,
): TypedStep<StepServices, Params, Inputs, Output> {
  return step;
}
