/** Streams `sizeMb` up and down through a blob store and prints the peak memory of this process. */
import { createHash } from 'node:crypto';

import { systemIds } from '../../../shared/core/ids.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { createBlobStore } from '../../../shared/adapters/azure/blob-store.ts';

const [connectionString = '', sizeMb = '1'] = process.argv.slice(2);
const store = createBlobStore({ clock: systemClock, ids: systemIds }, { connectionString });
const ref = { container: 'memory', name: 'large' };

// Loads and runs everything once before the measurement.
await store.put({ ...ref, name: 'warm-up' }, produce(8, createHash('sha256')));
for await (const _ of (await store.open({ ...ref, name: 'warm-up' })).body);
const baselineKb = process.resourceUsage().maxRSS;

const up = createHash('sha256');
const { sizeBytes } = await store.put(ref, produce(Number(sizeMb), up));
const down = createHash('sha256');
for await (const chunk of (await store.open(ref)).body) down.update(chunk);
const growthMb = (process.resourceUsage().maxRSS - baselineKb) / 1024;
console.log(JSON.stringify({ sizeBytes, up: up.digest('hex'), down: down.digest('hex'), growthMb }));

async function* produce(megabytes: number, hash: ReturnType<typeof createHash>) {
  for (let i = 0; i < megabytes * 4; i += 1) {
    const chunk = Buffer.alloc(256 * 1024, i % 251);
    hash.update(chunk);
    yield chunk;
  }
}
