import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LogFlusher } from '../../shared/adapters/embedded/documents/log-flusher.ts';
import { openSqliteDocuments } from '../../shared/adapters/embedded/sqlite-documents.ts';
import { createFolder, system } from '../support/stores.ts';
import { until } from '../support/until.ts';

const isLinux = process.platform === 'linux';
const key = { container: 'tracking', partition: 'p', id: 'd' };

/** How often this process has a file open. */
function countOpen(file: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The descriptor of the listing itself.
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(file)).length;
}

test.runIf(isLinux)('the log is synced while it grows, and closed with the store', async () => {
  const file = join(createFolder(), 'documents.db');
  const store = openSqliteDocuments(system, { file });
  await store.create(key, { value: 0 });
  expect(countOpen(`${file}-wal`)).toBe(1);
  for (let value = 1; value < 200; value += 1) await store.upsert(key, { value });
  await until(() => countOpen(`${file}-wal`) === 2);
  await store.close();
  expect(countOpen(file)).toBe(0);
});

test.runIf(isLinux)('a store can be closed during a sync', async () => {
  const file = join(createFolder(), 'documents.db');
  const store = openSqliteDocuments(system, { file });
  for (let value = 0; value < 128; value += 1) await store.upsert(key, { value });
  await store.close();
  for (let turn = 0; turn < 100; turn += 1) await setImmediate();
  expect(countOpen(file)).toBe(0);
  const again = openSqliteDocuments(system, { file });
  expect((await again.get(key))?.body).toEqual({ value: 127 });
  await again.close();
});

test('a log that cannot be synced costs no write', async () => {
  const flusher = new LogFlusher(join(createFolder(), 'missing-wal'));
  for (let write = 0; write < 1_000; write += 1) {
    flusher.countWrite();
    await setImmediate();
  }
  await flusher.close();
});
