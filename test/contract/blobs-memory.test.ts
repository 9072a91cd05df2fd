import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { systemIds } from '../../shared/core/ids.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import { startTestAzurite, type TestAzurite } from '../support/azurite/azurite.ts';

let azurite: TestAzurite;
beforeAll(async () => {
  azurite = await startTestAzurite();
  await createBlobStore(
    { clock: systemClock, ids: systemIds },
    { connectionString: azurite.connectionString },
  ).ensureContainers(['memory']);
});
afterAll(() => azurite.stop());

it('streams 256 MB up and down in bounded memory', async () => {
  const child = join(import.meta.dirname, '../support/blobs/memory-child.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [child, azurite.connectionString, '256']);
  const measured = JSON.parse(stdout) as { sizeBytes: number; up: string; down: string; growthMb: number };
  console.log(`peak memory grew by ${measured.growthMb.toFixed(0)} MB`);
  expect(measured.sizeBytes).toBe(256 * 1024 * 1024);
  expect(measured.down).toBe(measured.up);
  // Two blocks of 4 MiB and uncollected garbage; a body held in memory would add 256.
  expect(measured.growthMb).toBeLessThan(96);
});
