import type { JsonObject } from '../../../shared/core/json/json.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';

/** A linear congruential generator (MINSTD): the same runs on every machine. */
function makeRuns(
  count: number,
  partition = 'experiment',
): readonly { readonly id: string; readonly body: JsonObject }[] {
  let state = 1;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: count }, (_, index) => ({
    id: `${partition}-${index}`,
    body: { status: index % 3 ? 'FINISHED' : 'FAILED', metrics: { auc: random(), loss: random() }, index },
  }));
}

/** Creates runs in one partition, a hundred at a time. */
export async function createRuns(
  store: MetadataStore,
  container: string,
  partition: string,
  count: number,
): Promise<void> {
  const runs = makeRuns(count, partition);
  for (let from = 0; from < count; from += 100)
    await store.batch(
      container,
      partition,
      runs.slice(from, from + 100).map(({ id, body }) => ({ kind: 'create', id, body })),
    );
}
