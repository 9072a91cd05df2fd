import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createApp } from '../../shared/app.ts';
import { retryIntent } from '../../shared/core/errors.ts';
import { openIngestBench } from '../support/datasets/dirty-ingest.ts';
import { findDangling, replayDeltaLog } from '../support/delta/replay-log.ts';

const writers = 16;
const filesEach = 5;
const rowsEach = 20;

test('16 writers ingest 5 files each into one dataset: 80 versions, no row lost or duplicated', async () => {
  const bench = await openIngestBench('azurite');
  const { blobs, config, platform } = bench;
  try {
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        // Each has its own cache of the table, as processes do.
        const { ingestion } = createApp(config, platform).datasets;
        for (let file = 0; file < filesEach; file += 1) {
          const ref = { container: 'landing', name: `race/${writer}-${file}.csv` };
          await blobs.put(ref, writeFile(writer, file));
          const source = await ingestion.identify(ref);
          const work = {
            runId: `run-${writer}-${file}`,
            step: 'ingest',
            codeVersion: 'test',
            signal: new AbortController().signal,
            report: () => undefined,
          };
          // As the pipeline's steps do.
          const staged = await retry(() => ingestion.stage(source, work));
          await retry(() => ingestion.commit(staged, work));
        }
      }),
    );
    const commits = await replayDeltaLog(blobs, 'race');
    expect(commits).toHaveLength(writers * filesEach);
    const sources = commits.flatMap(({ transactions }) =>
      transactions.filter((id) => id.startsWith('source:')),
    );
    expect(new Set(sources).size).toBe(writers * filesEach);
    for (const [version, { files }] of commits.entries()) {
      const rows = [...files.values()].reduce((sum, file) => sum + file.rows, 0);
      expect(rows).toBe((version + 1) * rowsEach);
    }
    const newest = commits.at(-1);
    expect(newest && (await findDangling(blobs, 'race', newest))).toEqual([]);

    const { columns } = await bench.app.datasets.versions.resolve('race', 'latest');
    const added = Array.from({ length: writers }, (_, writer) => `of_${writer}`);
    expect(columns.map(({ name }) => name).sort()).toEqual(['id', 'name', ...added].sort());
    const rows = await bench.readRows('race', [...(newest?.files.keys() ?? [])], columns);
    expect(rows).toHaveLength(writers * filesEach * rowsEach);
    expect(new Set(rows.map(([id]) => id)).size).toBe(rows.length);
    const { items } = await bench.app.datasets.versions.list('race', { limit: 200 });
    expect(items.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
      commits.map(({ version }) => version),
    );
  } finally {
    await bench.close();
  }
});

/** Every writer's third file adds a column: the schema changes while others commit. */
function writeFile(writer: number, file: number): string {
  const isWider = file === 2;
  const rows = Array.from({ length: rowsEach }, (_, row) => {
    const id = (writer * filesEach + file) * rowsEach + row;
    return isWider ? `${id},name ${id},${row}` : `${id},name ${id}`;
  });
  return `${isWider ? `id,name,of_${writer}` : 'id,name'}\n${rows.join('\n')}\n`;
}

/** Every attempt but the last loses to the commit of another file. */
async function retry<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === writers * filesEach || retryIntent(error) !== 'later') throw error;
      await sleep(50 * Math.min(attempt, 20));
    }
  }
}
