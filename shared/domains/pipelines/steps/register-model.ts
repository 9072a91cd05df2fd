import { z } from 'zod';
import type { JsonValue } from '../../../core/json/json.ts';
import { recordedSchema } from './record-run.ts';
import { defineStep } from './services.ts';
import { trainedSchema } from './train-model.ts';
import { trainingSchema } from '../../training/catalog.ts';

export const registeredSchema = z.object({ model: z.string(), version: z.int(), sha256: z.string() });

export const registerModel = defineStep({
  description: 'Makes a trained model the next version in the registry, with its lineage, and opens it.',
  params: z.strictObject({ training: trainingSchema }),
  input: { trained: trainedSchema, recorded: recordedSchema.optional() },
  output: registeredSchema,
  async run({ params, input }, { services, runId, codeVersion }) {
    const { dataset, ...trained } = input.trained;
    const training = params.training as JsonValue;
    const { model, version } = await services.registration.registerTrained({
      ...trained,
      lineage: { runId, codeVersion, dataset, training, ...input.recorded },
    });
    return { model, version, sha256: trained.sha256 };
  },
});
