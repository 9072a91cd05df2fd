import { metadataContainers } from '../../core/names/resources.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import { eachDocument, type Wrapped } from '../../platform/storage/page.ts';
import type { ModelVersion } from './entities.ts';

/** Finds the versions of a dataset that model versions were trained on, and so can be retrained from. */
export async function findTrainedVersions(
  store: MetadataStore,
  dataset: string,
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  const documents = eachDocument<Wrapped<'version', ModelVersion>>(store, {
    container: metadataContainers.registry,
    filter: { op: 'compare', test: 'eq', path: ['version', 'lineage', 'dataset', 'name'], value: dataset },
    limit: 200,
  });
  for await (const { body } of documents) {
    const { lineage } = body.version;
    if (lineage.dataset) found.add(lineage.dataset.version);
  }
  return found;
}
