import { z } from 'zod';
import { throwIfCancelled } from '../../../core/async/cancelled.ts';
import { AppError } from '../../../core/errors.ts';
import { productionAlias } from '../../registry/entities.ts';
import { registryErrors } from '../../registry/errors.ts';
import { idempotencyKeyOf } from '../step.ts';
import { checkGateMetric, gateSchema, passGate } from './gate.ts';
import { registeredSchema } from './register-model.ts';
import { defineStep } from './services.ts';

/** The version that passes the gate is the one that is deployed. It must open and answer before requests go to it. */
export const deployModel = defineStep({
  description:
    'Points "production" at the new version, if it passes the gate and can be served; waits for an approval where one is needed.',
  params: z.strictObject({ gate: gateSchema }),
  input: { registered: registeredSchema },
  output: z.object({
    model: z.string(),
    version: z.int(),
    alias: z.string(),
    outcome: z.enum(['deployed', 'awaitingApproval']),
    previousVersion: z.int().nullable().optional(),
    remedy: z.string().optional(),
  }),
  check: ({ gate }, { registered }) =>
    checkGateMetric(gate, registered).map((fault) => ({ ...fault, path: ['gate', ...fault.path] })),
  async run({ params, input }, context) {
    const { services, runId, signal, report } = context;
    const { model, version, sha256, metrics } = input.registered;
    passGate(params.gate, metrics, `${model} version ${version}`);
    const stored = await services.registry.versions.get(model, version);
    if (stored.sha256 !== sha256) {
      const message = `${model} version ${version} is another model than the one that was registered. Register it again.`;
      throw new AppError('UNPROCESSABLE', message, { model, version });
    }
    await services.scoring.probe({ model, version });
    throwIfCancelled(signal, 'The deployment');
    try {
      const alias = await services.registry.aliases.move(model, productionAlias, version, `run ${runId}`, {
        once: idempotencyKeyOf(context),
      });
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
