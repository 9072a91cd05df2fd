/**
 * Runs Azurite in this process, writes to it, prints every write once it is acknowledged, and kills itself with
 * SIGKILL in the tick in which the last acknowledgement arrives. With `kill-after` 0 it writes until it is killed.
 */
import { writeSync } from 'node:fs';

import { systemIds } from '../../../shared/core/ids.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { startAzurite } from '../../../local/azurite.ts';
import { createBlobStore } from '../../../shared/adapters/azure/blob-store.ts';
import { createQueueClient } from '../host/storage-queue.ts';

const [dataDir = '', run = '', killAfter = '0'] = process.argv.slice(2);
const azurite = await startAzurite({ dataDir });
const store = createBlobStore(
  { clock: systemClock, ids: systemIds },
  { connectionString: azurite.connectionString, blockSizeBytes: 64 * 1024 },
);
const queue = createQueueClient(azurite.connectionString);
await store.ensureContainers(['kill']);
await queue.create('poison');

let acknowledged = 0;
for (let i = 0; ; i += 1) {
  // A few names, so that writes of this life replace and delete what earlier lives left.
  const name = `blob-${i % 7}`;
  const ref = { container: 'kill', name };
  const content = `${run}-${i}`;
  switch (i % 5) {
    case 3:
      announce({ start: name, deleted: true });
      await store.delete(ref);
      acknowledge({ name, deleted: true });
      break;
    case 4:
      announce({ message: content });
      await queue.put('poison', content);
      acknowledge({ message: content });
      break;
    default: {
      const body = content.repeat(i % 5 === 2 ? 30_000 : 1);
      announce({ start: name, content });
      const { etag } = await store.put(ref, body, { metadata: { content } });
      acknowledge({ name, content, etag, sizeBytes: body.length });
    }
  }
}

function announce(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

function acknowledge(line: object): void {
  acknowledged += 1;
  writeSync(1, `${JSON.stringify({ acknowledged: true, ...line })}\n`);
  if (acknowledged === Number(killAfter)) process.kill(process.pid, 'SIGKILL');
}
