import { expect, test } from 'vitest';
import { AppError } from '../../../shared/core/errors.ts';
import { checkDependencies } from '../../../shared/platform/health.ts';
import { settle, useVirtualTimers } from '../../support/virtual-timers.ts';

test('reports each dependency as up, down with its reason, or down after the timeout', async () => {
  useVirtualTimers();
  const checking = checkDependencies(
    {
      up: async () => {},
      down: () => Promise.reject(new AppError('UNAVAILABLE', 'refused')),
      silent: () => new Promise(() => {}),
    },
    2_000,
  );
  const latencyMs = expect.any(Number) as number;
  expect(await settle(checking, 2_000)).toEqual({
    up: { status: 'up', latencyMs },
    down: { status: 'down', latencyMs, reason: 'refused' },
    silent: { status: 'down', latencyMs, reason: 'no answer within 2000 ms' },
  });
});

test('waits no longer than the timeout', async () => {
  useVirtualTimers();
  let isOver = false;
  const checking = checkDependencies({ silent: () => new Promise(() => {}) }, 2_000).then(
    () => (isOver = true),
  );
  await settle(Promise.resolve(), 1_999);
  expect(isOver).toBe(false);
  await settle(checking, 1);
});
