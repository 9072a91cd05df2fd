import { expect, test } from 'vitest';
import { createMemoryBlobStore } from '../support/blobs/memory-store.ts';
import { describeBlobContract } from './blobs.contract.ts';

describeBlobContract({
  name: 'memory',
  unsigned: 'there is no server',
  async open() {
    const store = createMemoryBlobStore();
    await store.ensureContainers(['contract']);
    return { store, container: 'contract', dispose: () => Promise.resolve() };
  },
});

test('in-memory blobs sign no URLs', async () => {
  const store = createMemoryBlobStore();
  const ref = { container: 'contract', name: 'a' };
  await expect(store.presign(ref, { access: 'read', expiresAt: 1 })).rejects.toMatchObject({
    code: 'NOT_IMPLEMENTED',
  });
  await expect(store.presignBlocks(ref, ['a'], { expiresAt: 1 })).rejects.toMatchObject({
    code: 'NOT_IMPLEMENTED',
  });
});
