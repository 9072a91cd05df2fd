import { z } from 'zod';
import { throwIfCancelled } from '../../../core/async/cancelled.ts';
import { idempotencyKeyOf } from '../step.ts';
import { recordedSchema } from './record-run.ts';
import { defineStep } from './services.ts';
import { keepMetrics, trainedSchema } from './train-model.ts';
import { readTrainingSpec } from './training-spec.ts';

export const registeredSchema = z.object({
  model: z.string(),
  version: z.int(),
  sha256: z.string(),
  metrics: z.record(z.string(), z.number()),
});

/** Everything about the version comes from its one input: no parameter can contradict what was trained. */
export const registerModel = defineStep({
  description: 'Makes a trained model the next version in the registry, with its lineage, and opens it.',
  params: z.strictObject({}),
  input: { trained: trainedSchema.extend(recordedSchema.pick({ trackingRunId: true }).partial().shape) },
  output: registeredSchema,
  narrowOutput: (_, { trained }) => keepMetrics(registeredSchema, trained),
  async run({ input }, context) {
    const { services, runId, codeVersion, signal } = context;
    const { model, sha256, sizeBytes, metrics, dataset, spec, trackingRunId } = input.trained;
    const training = await readTrainingSpec(services.platform.blobs, spec);
    throwIfCancelled(signal, 'The registration');
    const { version } = await services.registration.registerTrained(
      {
        model,
        sha256,
        sizeBytes,
        metrics,
        lineage: {
          runId,
          codeVersion,
          dataset,
          training,
          ...(trackingRunId === undefined ? {} : { trackingRunId }),
        },
      },
      idempotencyKeyOf(context),
    );
    return { model, version, sha256, metrics };
  },
});
