import { describe, expect, test } from 'vitest';
import { createRegistration, createRegistry } from '../../support/tracking/registry.ts';
import { metadataStores } from '../../support/stores.ts';

describe.each(metadataStores)('approvals on $name', ({ open }) => {
  async function create() {
    const registry = createRegistry(await open());
    await registry.models.create({ name: 'm' }, 'ada');
    for (const i of [1, 2])
      await createRegistration(registry).register({ model: 'm', source: `s3://b/${i}` }, 'ada');
    await registry.approvals.setPolicy('m', { aliases: ['production'], distinctApprover: true }, 'ada');
    return registry;
  }
  const refused = (message: RegExp) => ({
    code: 'PERMISSION_DENIED',
    message: expect.stringMatching(message) as string,
  });

  test('moves a protected alias or stage to approved versions only', async () => {
    const registry = await create();
    const move = () => registry.aliases.move('m', 'production', 1, 'bob');
    await expect(move()).rejects.toMatchObject(refused(/POST api\/v1\/models\/m\/versions\/1\/approvals/));
    await expect(registry.stages.transition('m', 1, 'Production', false, 'bob')).rejects.toMatchObject(
      refused(/no approval yet/),
    );
    await registry.aliases.move('m', 'canary', 1, 'bob');
    await registry.stages.transition('m', 1, 'Staging', false, 'bob');
    await registry.approvals.decide('m', 1, { decision: 'approve', reason: 'measured' }, 'grace');
    expect((await move()).version).toBe(1);
    await registry.stages.transition('m', 1, 'Production', false, 'bob');
    await expect(registry.aliases.move('m', 'production', 2, 'bob')).rejects.toMatchObject(
      refused(/version 2/),
    );
  });

  test('with distinctApprover, nobody approves a version that they registered', async () => {
    const registry = await create();
    const approve = () => registry.approvals.decide('m', 1, { decision: 'approve', reason: 'mine' }, 'ada');
    await expect(approve()).rejects.toMatchObject(refused(/ask another operator/));
    await registry.approvals.setPolicy('m', { aliases: ['production'], distinctApprover: false }, 'ada');
    await approve();
    await registry.aliases.move('m', 'production', 1, 'ada');
    // Under a policy introduced later, approvals of one's own versions no longer count.
    await registry.approvals.setPolicy('m', { aliases: ['canary'], distinctApprover: true }, 'ada');
    await expect(registry.aliases.move('m', 'canary', 1, 'ada')).rejects.toMatchObject(
      refused(/only by the person who registered it/),
    );
  });

  test('the newest decision counts; all are stored once', async () => {
    const registry = await create();
    await registry.approvals.decide('m', 1, { decision: 'approve', reason: 'good' }, 'grace');
    await registry.approvals.decide('m', 1, { decision: 'reject', reason: 'biased' }, 'grace');
    const again = await registry.approvals.decide('m', 1, { decision: 'reject', reason: 'biased' }, 'grace');
    await expect(registry.aliases.move('m', 'production', 1, 'bob')).rejects.toMatchObject(
      refused(/was rejected by grace/),
    );
    const { items } = await registry.approvals.list('m', 1, { limit: 10 });
    expect(new Set(items.map(({ decision, reason, by }) => `${decision} ${reason} ${by}`))).toEqual(
      new Set(['approve good grace', 'reject biased grace']),
    );
    expect(items).toHaveLength(2);
    expect(items).toContainEqual(again);
    expect((await registry.versions.get('m', 1)).approval).toEqual(again);
  });

  test('requires no approval without a policy', async () => {
    const registry = await create();
    await registry.approvals.setPolicy('m', null, 'ada');
    expect((await registry.aliases.move('m', 'production', 1, 'bob')).version).toBe(1);
    expect((await registry.models.get('m')).approvalPolicy).toBeUndefined();
  });

  test('a concurrent move never wins over a rejection committed before it', async () => {
    const registry = await create();
    await registry.approvals.decide('m', 1, { decision: 'approve', reason: 'good' }, 'grace');
    const [rejected, moved] = await Promise.allSettled([
      registry.approvals.decide('m', 1, { decision: 'reject', reason: 'no' }, 'grace'),
      registry.aliases.move('m', 'production', 1, 'bob'),
    ]);
    expect(rejected.status).toBe('fulfilled');
    if (moved.status === 'rejected') expect(moved.reason).toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(registry.stages.transition('m', 1, 'Production', false, 'bob')).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });
});
