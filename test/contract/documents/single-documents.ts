import { describe, expect, it } from 'vitest';
import { addWriter } from '../../support/documents/counter.ts';
import type { ContractContext } from './fixture.ts';
import { expectError, reason } from './fixture.ts';

/** Reading and writing one document. */
export function describeSingleDocuments(context: ContractContext): void {
  const { harness, fixture, store, container, newPartition, newKey, idsOf } = context;
  describe('single documents', () => {
    const body = {
      text: 'naïve ☃ 🛫 \u0000 "quoted" \\ \u2028 </script>',
      numbers: [0, -1.5, 1e300, 5e-324, 9007199254740991],
      nothing: null,
      yes: true,
      'odd name / "\\\u0000 .$': { '': [[], {}], nested: { id: 'inner', _x: 1, ttl: 2 } },
    };

    it('round-trip unchanged', async () => {
      const key = newKey();
      expect(await store().get(key)).toBeUndefined();
      const created = await store().create(key, body);
      expect(created).toEqual({ ...key, etag: expect.any(String) as string, body });
      expect(await store().get(key)).toEqual(created);
      expect(await (await fixture().reopen()).get(key)).toEqual(created);
    });

    it('are created once per id and partition', async () => {
      const key = newKey();
      await store().create(key, { v: 1 });
      await expectError(store().create(key, { v: 2 }), 'ALREADY_EXISTS');
      await store().create({ ...key, partition: newPartition() }, { v: 3 });
      expect((await store().get(key))?.body).toEqual({ v: 1 });
    });

    it('are replaced completely, and only under the ETag that was read', async () => {
      const key = newKey();
      await expectError(store().replace(key, { v: 0 }, '"none"'), 'NOT_FOUND');
      const first = await store().create(key, { v: 1, gone: true });
      const second = await store().replace(key, { v: 2 }, first.etag);
      expect(second.etag).not.toBe(first.etag);
      await expectError(store().replace(key, { v: 3 }, first.etag), 'PRECONDITION_FAILED');
      expect(await store().get(key)).toEqual({ ...key, etag: second.etag, body: { v: 2 } });
    });

    it('are upserted whether they exist or not', async () => {
      const key = newKey();
      const first = await store().upsert(key, { v: 1, gone: true });
      const second = await store().upsert(key, { v: 1 });
      expect(second.etag).not.toBe(first.etag);
      expect(await store().get(key)).toEqual(second);
    });

    it('are deleted, under an ETag if one is given', async () => {
      const key = newKey();
      await expectError(store().delete(key), 'NOT_FOUND');
      const first = await store().create(key, { v: 1 });
      const second = await store().upsert(key, { v: 2 });
      await expectError(store().delete(key, first.etag), 'PRECONDITION_FAILED');
      await store().delete(key, second.etag);
      expect(await store().get(key)).toBeUndefined();
      await store().create(key, { v: 3 });
      await store().delete(key);
      expect(await idsOf({ partition: key.partition })).toEqual([]);
    });

    it.each(['a b', '%2e%2e', '+&=;:@,!$', '日本語 🛫', "o'hara", '"q"', '...', 'x'.repeat(255)])(
      'may have the id %j',
      async (id) => {
        const key = newKey(id);
        const created = await store().create(key, { v: 1 });
        expect((await store().get(key))?.etag).toBe(created.etag);
        const replaced = await store().replace(key, { v: 2 }, created.etag);
        await store().batch(container(), key.partition, [{ kind: 'delete', id, etag: replaced.etag }]);
        expect(await store().get(key)).toBeUndefined();
      },
    );

    it('may have almost 2 MB', async () => {
      const key = newKey();
      const large = { text: 'é'.repeat(999_900) };
      await store().create(key, large);
      expect((await store().get(key))?.body).toEqual(large);
    });

    it.skipIf(harness.skipTimeToLive !== undefined)(
      `expire after their time to live${reason(harness.skipTimeToLive)}`,
      async () => {
        const key = newKey();
        const { partition } = key;
        await store().create(key, { v: 1 }, { ttlSeconds: 2 });
        await store().create({ ...key, id: 'renewed' }, { v: 1 }, { ttlSeconds: 2 });
        await store().batch(container(), partition, [
          { kind: 'create', id: 'b', body: { v: 1 }, ttlSeconds: 2 },
        ]);
        await store().create({ ...key, id: 'kept' }, { v: 1 });
        expect((await store().get(key))?.body).toEqual({ v: 1 });
        await store().upsert({ ...key, id: 'renewed' }, { v: 2 });
        await fixture().passTime(2_000);
        expect(await store().get(key)).toBeUndefined();
        expect((await idsOf({ partition })).toSorted()).toEqual(['kept', 'renewed']);
        await expectError(store().delete(key), 'NOT_FOUND');
        await store().create(key, { v: 4 });
        expect((await store().get(key))?.body).toEqual({ v: 4 });
      },
    );

    it('lose no update of 32 concurrent writers', async () => {
      const key = newKey();
      await store().create(key, { count: 0, writers: [] });
      await Promise.all(Array.from({ length: 32 }, (_, writer) => addWriter(store(), key, writer)));
      const { count, writers } = (await store().get(key))!.body as { count: number; writers: number[] };
      expect(count).toBe(32);
      expect(writers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, writer) => writer));
    });
  });
}
