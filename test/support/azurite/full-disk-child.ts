/** Fills the given small disk through a blob store, frees some space, and prints the results. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { systemIds } from '../../../shared/core/ids.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { startAzurite } from '../../../local/azurite.ts';
import { createBlobStore } from '../../../shared/adapters/azure/blob-store.ts';
import { isAppError } from '../../../shared/core/errors.ts';

const [disk = ''] = process.argv.slice(2);
const ballast = join(disk, 'ballast');
await writeFile(ballast, Buffer.alloc(4_000_000));
const azurite = await startAzurite({ dataDir: join(disk, 'data') });
const store = createBlobStore(
  { clock: systemClock, ids: systemIds },
  { connectionString: azurite.connectionString, retryDelayMs: 10 },
);
await store.ensureContainers(['full']);

const put = async (name: string, sizeBytes: number, metadata = {}): Promise<string> => {
  try {
    await store.put({ container: 'full', name }, Buffer.alloc(sizeBytes, name), { metadata });
    return 'stored';
  } catch (error) {
    return isAppError(error) ? error.code : String(error);
  }
};
const outcomes: string[] = [];
for (let i = 0; i < 20; i += 1) outcomes.push(await put(`large-${i}`, 1_000_000));
// Blobs without bytes use space only in the records.
const records: string[] = [];
for (let i = 0; i < 3_000 && !records.includes('INSUFFICIENT_STORAGE'); i += 1) {
  records.push(await put(`record-${i}`, 0, { note: 'n'.repeat(7_000) }));
}
const refused = await store.head({ container: 'full', name: `record-${records.length - 1}` });
const accepted = await store.head({ container: 'full', name: `record-${records.length - 2}` });
const listed = (await store.list('full', { prefix: 'large-', limit: 100 })).blobs.length;
const stored = outcomes.filter((outcome) => outcome === 'stored').length;
let readable = 0;
for (let i = 0; i < stored; i += 1) {
  let length = 0;
  for await (const chunk of (await store.open({ container: 'full', name: `large-${i}` })).body)
    length += chunk.length;
  if (length === 1_000_000) readable += 1;
}
await rm(ballast);
const afterwards = await put('afterwards', 1_000_000);
await azurite.stop();
console.log(
  JSON.stringify({
    failures: [...new Set(outcomes.slice(stored))],
    records: records.at(-1),
    refusedIsThere: refused !== undefined,
    acceptedIsThere: accepted !== undefined,
    stored,
    listed,
    readable,
    afterwards,
  }),
);
