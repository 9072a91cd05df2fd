import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../shared/core/errors.ts';
import type { BatchOperation } from '../../../shared/platform/storage/documents.ts';
import type { ContractContext } from './fixture.ts';
import { creations, expectError, readAll } from './fixture.ts';

/** Batches are atomic. */
export function describeBatches(context: ContractContext): void {
  const { store, container, newPartition, fill, idsOf } = context;
  describe('batches', () => {
    it('apply all operations in order', async () => {
      const partition = newPartition();
      const key = (id: string) => ({ container: container(), partition, id });
      const replaced = await store().create(key('replaced'), { v: 0 });
      const deleted = await store().create(key('deleted'), { v: 0 });
      await store().create(key('upserted'), { v: 0 });
      const etags = await store().batch(container(), partition, [
        { kind: 'create', id: 'created', body: { v: 1 } },
        { kind: 'replace', id: 'replaced', body: { v: 2 }, etag: replaced.etag },
        { kind: 'delete', id: 'deleted', etag: deleted.etag },
        { kind: 'upsert', id: 'upserted', body: { v: 3 } },
      ]);
      expect(etags[2]).toBeUndefined();
      for (const [index, id, v] of [
        [0, 'created', 1],
        [1, 'replaced', 2],
        [3, 'upserted', 3],
      ] as const)
        expect(await store().get(key(id))).toEqual({ ...key(id), etag: etags[index], body: { v } });
      expect(await store().get(key('deleted'))).toBeUndefined();
    });

    it('accept 100 operations', async () => {
      const partition = newPartition();
      expect(new Set(await store().batch(container(), partition, creations(100))).size).toBe(100);
      expect(await idsOf({ partition })).toHaveLength(100);
    });

    const failing: readonly (readonly [BatchOperation, ErrorCode])[] = [
      [{ kind: 'create', id: 'there', body: {} }, 'ALREADY_EXISTS'],
      [{ kind: 'replace', id: 'there', body: {}, etag: '"stale"' }, 'PRECONDITION_FAILED'],
      [{ kind: 'replace', id: 'missing', body: {}, etag: '"any"' }, 'NOT_FOUND'],
      [{ kind: 'delete', id: 'there', etag: '"stale"' }, 'PRECONDITION_FAILED'],
      [{ kind: 'delete', id: 'missing' }, 'NOT_FOUND'],
      [{ kind: 'create', id: 'new', body: {} }, 'ALREADY_EXISTS'],
      [{ kind: 'create', id: 'bad', body: { _x: 1 } }, 'INVALID_ARGUMENT'],
    ];
    it.each(failing)('apply nothing when one operation fails: %j', async (operation, code) => {
      const partition = await fill({ there: { v: 0 }, other: { v: 0 } });
      const error = await expectError(
        store().batch(container(), partition, [
          { kind: 'upsert', id: 'other', body: { v: 1 } },
          { kind: 'create', id: 'new', body: { v: 1 } },
          operation,
          { kind: 'create', id: 'after', body: {} },
        ]),
        code,
      );
      expect(error.details['operation']).toBe(2);
      const documents = await readAll(store(), { container: container(), partition, limit: 10 });
      expect(Object.fromEntries(documents.map(({ id, body }) => [id, body]))).toEqual({
        other: { v: 0 },
        there: { v: 0 },
      });
    });
  });
}
