import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../shared/core/clock.ts';
import { createBlobStore } from '../../../shared/adapters/azure/blob-store.ts';
import type { Clock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { openDeltaTable } from '../../support/delta/open-table.ts';
import { copyTable, fillSampleTable } from '../../support/delta/sample-table.ts';

const container = 'delta-samples';
const start = Date.parse('2026-03-01T00:00:00Z');
const minuteMs = 60_000;

/**
 * Writes tables of 1, 12 and 40 commits to Blob storage, with a local copy of each, a copy of the log from the last
 * checkpoint on, and the expected rows of every version.
 *
 * @returns the path of the description
 */
export async function writeSampleTables(connectionString: string, folder: string): Promise<string> {
  const blobs = createBlobStore({ clock: systemClock, ids: systemIds }, { connectionString });
  await blobs.ensureContainers([container]);
  const tables = [];
  for (const commits of [1, 12, 40]) {
    let now = start - minuteMs;
    const clock: Clock = { now: () => (now += minuteMs), sleep: async () => undefined };
    const place = { blobs, container, prefix: `sample-${commits}` };
    const table = openDeltaTable(blobs, { clock, ids: systemIds }, place);
    const path = join(folder, `delta-${commits}`);
    mkdirSync(path, { recursive: true });
    const versions = await fillSampleTable(table, commits, { ...place, folder: path });
    const { commits: history } = await table.history({ limit: 100 });
    const times = history.toReversed().map(({ timestamp }) => timestamp);
    const timeOf = (version: number) => times[version] ?? 0;
    await copyTable(place, join(path, 'whole'), { timeOf });
    const cut = Math.floor((commits - 1) / 10) * 10;
    const isOld = (name: string) => /^_delta_log\/\d+\.json$/.test(name) && Number(name.slice(11, 31)) <= cut;
    if (cut > 0) await copyTable(place, join(path, 'cut'), { timeOf, leaveOut: isOld });
    tables.push({ container, prefix: place.prefix, path, cut, times, versions });
  }
  const description = join(folder, 'delta-tables.json');
  writeFileSync(description, JSON.stringify(tables));
  return description;
}
