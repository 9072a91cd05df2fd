import { z } from 'zod';
import { AppError, isAppError } from '../../../core/errors.ts';
import { productionAlias } from '../../registry/entities.ts';
import { defineStep } from './services.ts';
import { registeredSchema } from './register-model.ts';
import { trainedSchema } from './train-model.ts';

const gateSchema = z.strictObject({
  /** The metric that decides; higher is better. */
  metric: z.string().default('aucScore'),
  min: z.number(),
});

/** The version must open and answer before anybody is sent to it. */
export const deployModel = defineStep({
  description:
    'Points "production" at the new version, if it is good enough and can be served; waits for an approval where one is needed.',
  params: z.object({ gate: gateSchema.optional() }),
  needs: z.object({ train: trainedSchema, register: registeredSchema }),
  async run({ params, needs }, { services, runId, report }) {
    const { model, version } = needs.register;
    if (params.gate) checkGate(params.gate, needs.train.metrics, `${model} version ${version}`);
    await services.scoring.probe({ model, version });
    try {
      const alias = await services.registry.aliases.move(model, productionAlias, version, `run ${runId}`);
      const { previousVersion } = alias;
      return { model, version, alias: alias.alias, previousVersion, outcome: 'deployed' };
    } catch (error) {
      if (!isAppError(error, 'PERMISSION_DENIED') || error.details['awaiting'] !== 'approval') throw error;
      // Not a failure: the version is good enough, and somebody has the last word.
      report(1, error.message);
      return { model, version, alias: productionAlias, outcome: 'awaitingApproval', remedy: error.message };
    }
  },
});

/** @throws UNPROCESSABLE: retrying does not make a model better */
function checkGate(
  gate: z.infer<typeof gateSchema>,
  metrics: Readonly<Record<string, number>>,
  what: string,
): void {
  const value = metrics[gate.metric];
  if (value === undefined) {
    throw new AppError(
      'UNPROCESSABLE',
      `The gate asks for "${gate.metric}", which training did not measure.`,
      {
        measured: Object.keys(metrics),
      },
    );
  }
  if (!(value >= gate.min)) {
    throw new AppError(
      'UNPROCESSABLE',
      `${what} stays undeployed: ${gate.metric} is ${value}, below ${gate.min}.`,
      {
        metric: gate.metric,
        value,
        min: gate.min,
      },
    );
  }
}
