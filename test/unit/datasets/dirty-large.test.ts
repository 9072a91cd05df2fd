import { afterAll, beforeAll, test } from 'vitest';
import { checkDirtyCase } from '../../support/datasets/check-dirty-case.ts';
import { type IngestBench, openIngestBench } from '../../support/datasets/dirty-ingest.ts';
import { largeCases } from '../../support/datasets/dirty-large.ts';
import { createFolder } from '../../support/stores.ts';

let bench: IngestBench;
beforeAll(async () => {
  bench = await openIngestBench();
});
afterAll(() => bench.close());

test.each(largeCases)('$name', async ({ make }) => checkDirtyCase(bench, await make(createFolder())));
