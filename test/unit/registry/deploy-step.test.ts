import { expect, test } from 'vitest';
import { silentLogger } from '../../../shared/core/logger.ts';
import { steps } from '../../../shared/domains/pipelines/catalog.ts';
import type { StepServices } from '../../../shared/domains/pipelines/steps/services.ts';
import { createRegistry, registerTrained } from '../../support/tracking/registry.ts';
import { createDocuments } from '../../support/stores.ts';

test('a deployment without its approval ends with awaitingApproval, not as a failure', async () => {
  const registry = createRegistry(createDocuments());
  const sha256 = 'ab'.repeat(32);
  await registerTrained(registry, { model: 'm', sha256, sizeBytes: 1, metrics: {}, lineage: { runId: 'r' } });
  await registry.approvals.setPolicy('m', { aliases: ['production'], distinctApprover: true }, 'ada');
  const services = { registry, scoring: { probe: async () => ({}) } } as unknown as StepServices;
  const deploy = () =>
    steps['deploy-model'].run(
      {
        params: { gate: 'none' },
        input: { registered: { model: 'm', version: 1, sha256, metrics: {} } },
      },
      {
        runId: 'r',
        step: 'deploy',
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

test('does not deploy a version whose bytes are not those that passed the gate', async () => {
  const registry = createRegistry(createDocuments());
  const noise = { model: 'm', sha256: 'cd'.repeat(32), sizeBytes: 1, metrics: {}, lineage: { runId: 'r' } };
  await registerTrained(registry, noise);
  const services = { registry, scoring: { probe: async () => ({}) } } as unknown as StepServices;
  const outcome = steps['deploy-model'].run(
    {
      params: { gate: { metric: 'aucScore', atLeast: 0.9 } },
      input: { registered: { model: 'm', version: 1, sha256: 'ab'.repeat(32), metrics: { aucScore: 0.99 } } },
    },
    {
      runId: 'r',
      step: 'deploy',
      codeVersion: 'test',
      services,
      logger: silentLogger,
      signal: new AbortController().signal,
      report: () => {},
    },
  );
  await expect(outcome).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
  expect(await registry.aliases.list('m')).toEqual([]);
});
