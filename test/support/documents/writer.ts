import { systemClock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { openSqliteDocuments } from '../../../shared/adapters/embedded/sqlite-documents.ts';
import { addWriter } from './counter.ts';

/**
 * A separate process that writes to an SQLite store: `batches` without end, or `writers` (the given numbers) on one
 * document. It reports its start, and each batch.
 */
const [file, task, ...numbers] = process.argv.slice(2);
const store = openSqliteDocuments(
  { clock: systemClock, ids: systemIds },
  { file: file!, busyTimeoutMs: 10_000 },
);
process.stdout.write('begun\n');

if (task === 'batches') {
  for (let batch = 0; ; batch += 1) {
    await store.batch(
      'killed',
      'p',
      Array.from({ length: 20 }, (_, index) => ({
        kind: 'create' as const,
        id: `${process.pid}-${batch}-${index}`,
        body: { batch: `${process.pid}-${batch}`, index, text: 'x'.repeat(500) },
      })),
    );
    process.stdout.write(`${batch}\n`);
  }
}
await Promise.all(
  numbers.map((writer) =>
    addWriter(store, { container: 'shared', partition: 'p', id: 'counter' }, Number(writer)),
  ),
);
await store.close();
