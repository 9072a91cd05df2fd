import { expect, test } from 'vitest';
import { startPlatform } from '../support/platform.ts';

test('a platform is there again after it was killed', async () => {
  const platform = await startPlatform();
  expect((await fetch(`${platform.url}/health`)).status).toBe(200);
});
