import { expect, test } from 'vitest';
import { silentLogger } from '../../../shared/core/logger.ts';
import { steps } from '../../../shared/domains/pipelines/catalog.ts';
import type { StepServices } from '../../../shared/domains/pipelines/steps/services.ts';
import { createRegistration, createRegistry } from '../../support/tracking/registry.ts';
import { createDocuments } from '../../support/stores.ts';

test('a deployment without its approval ends with awaitingApproval, not as a failure', async () => {
  const registry = createRegistry(createDocuments());
  await registry.models.create({ name: 'm' }, 'ada');
  await createRegistration(registry).register({ model: 'm', source: 's3://b/1' }, 'run r');
  await registry.approvals.setPolicy('m', { aliases: ['production'], distinctApprover: true }, 'ada');
  const services = { registry, scoring: { probe: async () => ({}) } } as unknown as StepServices;
  const deploy = () =>
    steps['deploy-model'].run(
      {
        params: { gate: 'none' },
        input: { trained: { metrics: {} }, registered: { model: 'm', version: 1, sha256: '' } },
      },
      {
        runId: 'r',
        codeVersion: 'test',
        services,
        logger: silentLogger,
        signal: new AbortController().signal,
        report: () => {},
      },
    );
  expect(await deploy()).toMatchObject({
    version: 1,
    outcome: 'awaitingApproval',
    remedy: expect.stringContaining('versions/1/approvals') as string,
  });
  expect(await registry.aliases.list('m')).toEqual([]);
  await registry.approvals.decide('m', 1, { decision: 'approve', reason: 'good' }, 'grace');
  expect(await deploy()).toMatchObject({ alias: 'production', previousVersion: null, outcome: 'deployed' });
  expect((await registry.aliases.get('m', 'production')).version).toBe(1);
});
