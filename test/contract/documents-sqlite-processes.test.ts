import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteDocuments } from '../../shared/adapters/embedded/sqlite-documents.ts';
import { openSqliteForTest } from '../support/documents/stores.ts';
import { until } from '../support/until.ts';
import { readAll } from './documents/fixture.ts';

const key = { container: 'tracking', partition: 'p', id: 'one' };

describe('SQLite documents: several processes', () => {
  const program = fileURLToPath(new URL('../support/documents/writer.ts', import.meta.url));
  const start = async (...args: readonly string[]) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the writer ended: ${String(code)}`))),
    ]);
    return child;
  };

  it('lose no update of 32 writers in two processes', async () => {
    const { store, file } = await openSqliteForTest();
    const counter = { container: 'shared', partition: 'p', id: 'counter' };
    await store.create(counter, { count: 0, writers: [] });
    const numbers = Array.from({ length: 32 }, (_, index) => String(index));
    const children = await Promise.all([
      start(file, 'writers', ...numbers.slice(0, 16)),
      start(file, 'writers', ...numbers.slice(16)),
    ]);
    for (const child of children) if (child.exitCode === null) await once(child, 'exit');
    expect(children.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const { count, writers } = (await store.get(counter))!.body as { count: number; writers: number[] };
    expect(count).toBe(32);
    expect(new Set(writers).size).toBe(32);
  });

  it('may create the file concurrently', async () => {
    const { file } = await openSqliteForTest();
    const fresh = join(file, '..', 'fresh', 'new.db');
    const children = await Promise.all([1, 2, 3].map(() => start(fresh, 'writers')));
    for (const child of children) if (child.exitCode === null) await once(child, 'exit');
    expect(children.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  });

  it('may be killed at any moment: every batch is stored completely or not at all', async () => {
    const { store, file } = await openSqliteForTest();
    await store.create(key, {});
    let before = 0;
    for (let round = 0; round < 8; round += 1) {
      const child = await start(file, 'batches');
      let lines = 0;
      child.stdout.setEncoding('utf8').on('data', (text: string) => (lines += text.split('\n').length - 1));
      await until(() => lines > round);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const survivor = openSqliteDocuments({ clock: systemClock, ids: systemIds }, { file });
      const documents = await readAll(survivor, { container: 'killed', limit: 1_000 });
      const batches = Map.groupBy(documents, ({ body }) => body['batch']);
      expect(new Set(Array.from(batches.values(), (members) => members.length))).toEqual(new Set([20]));
      // The index holds the same documents.
      const indexed = await readAll(survivor, {
        container: 'killed',
        sort: { path: ['index'], direction: 'asc' },
        limit: 1_000,
      });
      expect(indexed).toHaveLength(documents.length);
      // Everything stored before the kill is kept.
      expect(documents.length).toBeGreaterThanOrEqual(before);
      before = documents.length;
      await survivor.close();
    }
    expect(before).toBeGreaterThan(0);
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  });
});
