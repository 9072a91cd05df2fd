import { z } from 'zod';
import { productionAlias } from '../../registry/entities.ts';
import { registryErrors } from '../../registry/errors.ts';
import { checkGateMetric, gateSchema, passGate } from './gate.ts';
import { registeredSchema } from './register-model.ts';
import { defineStep } from './services.ts';

/** The version must open and answer before requests go to it. */
export const deployModel = defineStep({
  description:
    'Points "production" at the new version, if it passes the gate and can be served; waits for an approval where one is needed.',
  params: z.strictObject({ gate: gateSchema }),
  input: {
    trained: z.object({ metrics: z.record(z.string(), z.number()) }),
    registered: registeredSchema,
  },
  output: z.object({
    model: z.string(),
    version: z.int(),
    alias: z.string(),
    outcome: z.enum(['deployed', 'awaitingApproval']),
    previousVersion: z.int().nullable().optional(),
    remedy: z.string().optional(),
  }),
  check: ({ gate }, { trained }) =>
    checkGateMetric(gate, trained).map((fault) => ({ ...fault, path: ['gate', ...fault.path] })),
  async run({ params, input }, { services, runId, report }) {
    const { model, version } = input.registered;
    passGate(params.gate, input.trained.metrics, `${model} version ${version}`);
    await services.scoring.probe({ model, version });
    try {
      const alias = await services.registry.aliases.move(model, productionAlias, version, `run ${runId}`);
      const { previousVersion } = alias;
      return { model, version, alias: alias.alias, previousVersion, outcome: 'deployed' as const };
    } catch (error) {
      if (!registryErrors.approvalNeeded.is(error)) throw error;
      // Not a failure: the version passed its gate, and a person decides.
      report(1, error.message);
      const outcome = 'awaitingApproval' as const;
      return { model, version, alias: productionAlias, outcome, remedy: error.message };
    }
  },
});
