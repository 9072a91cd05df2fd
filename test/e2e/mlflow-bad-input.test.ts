import { expect, test } from 'vitest';
import { startPlatform } from '../support/platform.ts';

test('an experiment without a name is refused', async () => {
  const platform = await startPlatform();
  const response = await fetch(`${platform.url}/api/2.0/mlflow/experiments/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error_code: 'INVALID_PARAMETER_VALUE' },
  ]);
});
