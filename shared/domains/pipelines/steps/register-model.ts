import { z } from 'zod';
import type { JsonValue } from '../../../core/json.ts';
import { trainingParam } from './training-param.ts';
import { defineStep } from './services.ts';
import { recordedSchema } from './record-run.ts';
import { trainedSchema } from './train-model.ts';

export const registeredSchema = z.object({ model: z.string(), version: z.int(), sha256: z.string() });

export const registerModel = defineStep({
  description: 'Makes a trained model the next version in the registry, with its lineage, and opens it.',
  params: z.object({ training: trainingParam }),
  /** Runs planned before trainings were recorded have no `record`. */
  needs: z.object({ train: trainedSchema, record: recordedSchema.optional() }),
  async run({ params, needs }, { services, runId, codeVersion }): Promise<z.infer<typeof registeredSchema>> {
    const { dataset, ...trained } = needs.train;
    const training = params.training as JsonValue;
    const { model, version } = await services.registration.registerTrained({
      ...trained,
      lineage: { runId, codeVersion, dataset, training, ...needs.record },
    });
    return { model, version, sha256: trained.sha256 };
  },
});
