import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeBatches } from './documents/batches.ts';
import { describeFilters } from './documents/filters.ts';
import type { ContractContext, DocumentsFixture, DocumentsHarness } from './documents/fixture.ts';
import { readAll } from './documents/fixture.ts';
import { describePages } from './documents/pages.ts';
import { describeRules } from './documents/rules.ts';
import { describeSingleDocuments } from './documents/single-documents.ts';

/** The contract of every `MetadataStore` adapter. The container may hold other documents. */
export function describeDocumentsContract(harness: DocumentsHarness): void {
  const title = harness.skip === undefined ? harness.name : `${harness.name} (skipped: ${harness.skip})`;
  describe.skipIf(harness.skip !== undefined)(`MetadataStore: ${title}`, () => {
    let opened: DocumentsFixture;
    beforeAll(async () => {
      opened = await harness.open();
    });
    afterAll(() => opened?.dispose());

    const context = createContext(harness, () => opened);
    describeSingleDocuments(context);
    describeRules(context);
    describeBatches(context);
    describeFilters(context);
    describePages(context);
    it('answers a ping', () => expect(context.store().ping()).resolves.toBeUndefined());
  });
}

function createContext(harness: DocumentsHarness, fixture: () => DocumentsFixture): ContractContext {
  const suite = crypto.randomUUID();
  let partitions = 0;
  const store = () => fixture().store;
  const container = () => fixture().container;
  const newPartition = () => `${suite}/${(partitions += 1)}`;
  return {
    harness,
    suite,
    fixture,
    store,
    container,
    newPartition,
    newKey: (id = 'one') => ({ container: container(), partition: newPartition(), id }),
    fill: async (bodies, partition = newPartition()) => {
      for (const [id, body] of Object.entries(bodies))
        await store().create({ container: container(), partition, id }, body);
      return partition;
    },
    idsOf: async (query, limit = 100) =>
      (await readAll(store(), { container: container(), limit, ...query })).map(({ id }) => id),
  };
}
