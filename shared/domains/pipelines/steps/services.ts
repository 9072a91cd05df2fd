import type { z } from 'zod';
import type { Platform } from '../../../platform/platform.ts';
import type { Datasets } from '../../datasets/datasets.ts';
import type { Registration } from '../../registry/registration.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Scoring } from '../../serving/scoring.ts';
import type { Tracking } from '../../tracking/tracking.ts';
import type { Training } from '../../training/training.ts';
import type { InputSchemas, TypedStep } from '../step.ts';

/** The domains that steps work with, and the platform below: the app has every one of them. */
export interface StepServices {
  readonly platform: Platform;
  readonly datasets: Datasets;
  readonly tracking: Tracking;
  readonly registry: Registry;
  /** Registers versions from what was logged or trained. */
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
