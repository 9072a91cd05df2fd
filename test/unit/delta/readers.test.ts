import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import type { DeltaTable } from '../../../shared/formats/delta/delta-table.ts';
import { makeTempDir } from '../../support/azurite/azurite.ts';
import { createMemoryBlobStore } from '../../support/blobs/memory-store.ts';
import { openDeltaTable } from '../../support/delta/open-table.ts';
import { askChdb } from '../../support/delta/chdb.ts';
import type { SampleRow } from '../../support/delta/data-file.ts';
import { sampleColumns } from '../../support/delta/sample-rows.ts';
import { copyTable, type ExpectedVersion, fillSampleTable } from '../../support/delta/sample-table.ts';

/** ClickHouse reads Delta tables with delta-kernel-rs: each version must have the rows that were written. */
const container = 'datasets';
const start = Date.parse('2026-03-01T00:00:00Z');

let folder: string;
beforeAll(async () => {
  folder = await makeTempDir();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const conditions: readonly (readonly [string, (row: SampleRow) => boolean])[] = [
  [`big = 9223372036854775807`, ({ big }) => big === '9223372036854775807'],
  [`big = 9007199254740993`, ({ big }) => big === '9007199254740993'],
  [`big <= -9223372036854775808`, ({ big }) => big === '-9223372036854775808'],
  [`big IS NULL`, ({ big }) => big === null],
  [`at >= '2199-12-31 23:59:59.000001'`, ({ at }) => at?.startsWith('2199') === true],
  [`at <= '1969-12-31 23:59:59.999999'`, ({ at }) => at?.startsWith('1969') === true],
  [`text = 'nul\\0inside'`, ({ text }) => text === 'nul\u0000inside'],
  [`text = repeat('\u{10ffff}', 40)`, ({ text }) => text === '\u{10ffff}'.repeat(40)],
  [`startsWith(text, 'long long')`, ({ text }) => text?.startsWith('long long') === true],
  [`price > 1000`, ({ price }) => Number(price ?? 0) > 1000],
  [`"Is Open?"`, (row) => row['Is Open?'] === 'true'],
  [
    `exact = toDecimal128('9999999999999999999999999999.9999999999', 10)`,
    ({ exact }) => exact === '9999999999999999999999999999.9999999999',
  ],
  [`ratio < 0.3`, ({ ratio }) => ratio !== null && Number(ratio) < 0.3],
  [`day = '2010-02-21'`, ({ day }) => day === '2010-02-21'],
];

type Answers = Awaited<ReturnType<typeof ask>>;

describe.each([1, 12, 40])('a table of %d commits', (commits) => {
  let expected: readonly ExpectedVersion[];
  let table: DeltaTable;
  const copy = (name: string) => join(folder, `${commits}-${name}`);
  const newest = commits - 1;
  /** The newest checkpoint. */
  const cut = Math.floor(newest / 10) * 10;

  beforeAll(async () => {
    const blobs = createMemoryBlobStore();
    await blobs.ensureContainers([container]);
    const place = { blobs, container, prefix: `sample-${commits}` };
    table = openDeltaTable(blobs, { clock: createMinuteClock(), ids: systemIds }, place);
    expected = await fillSampleTable(table, commits, { ...place, folder });
    const timeOf = () => start;
    await copyTable(place, copy('whole'), { timeOf });
    const isOld = (name: string) => /^_delta_log\/\d+\.json$/.test(name) && Number(name.slice(11, 31)) <= cut;
    if (cut > 0) await copyTable(place, copy('cut'), { timeOf, leaveOut: isOld });
  });

  /** One process runs all queries, because it takes longer to start than to read. */
  let answers: Readonly<Record<'versions' | 'conditions' | 'cut', Answers>>;
  beforeAll(async () => {
    const versions = expected.map((of, version) => selectAll(copy('whole'), of, version));
    const source = `deltaLakeLocal('${copy('whole')}')`;
    const counts = conditions.map(([sql]) => `SELECT toString(count()) AS n FROM ${source} WHERE ${sql}`);
    const afterCut =
      cut > 0 ? expected.slice(cut).map((of, index) => selectAll(copy('cut'), of, cut + index)) : [];
    const all = await ask([...versions, ...counts, ...afterCut]);
    answers = {
      versions: all.slice(0, commits),
      conditions: all.slice(commits, commits + conditions.length),
      cut: all.slice(commits + conditions.length),
    };
  });

  test('chdb reads every version', () => {
    for (const [version, { did, rows }] of expected.entries())
      expect(answers.versions[version], `${version}: ${did}`).toEqual(sort(rows));
    expect(answers.versions).toHaveLength(commits);
  });

  test('statistics let chdb skip no file with matching rows', () => {
    const { rows } = expected[newest]!;
    const counts = conditions.map(([sql, holds]) => [sql, [{ n: String(rows.filter(holds).length) }]]);
    expect(conditions.map(([sql], index) => [sql, answers.conditions[index]])).toEqual(counts);
  });

  test.runIf(cut > 0)('chdb reads from the checkpoint when the log before it is gone', () => {
    expect(answers.cut).toEqual(expected.slice(cut).map(({ rows }) => sort(rows)));
  });
});

/** Advances by a minute per reading. */
function createMinuteClock(): Clock {
  let now = start - 60_000;
  return { now: () => (now += 60_000), sleep: async () => undefined };
}

function selectAll(path: string, { columns }: ExpectedVersion, version: number): string {
  const known = new Map(sampleColumns.map(({ name, type }) => [name, type]));
  const shown = columns.map((name) => {
    const quoted = `\`${name}\``;
    const type = known.get(name);
    if (type === 'binary') return `hex(${quoted}) AS ${quoted}`;
    if (type === 'boolean') return `if(isNull(${quoted}), NULL, if(${quoted}, 'true', 'false')) AS ${quoted}`;
    if (type === 'decimal(12,2)') return `toDecimalString(${quoted}, 2) AS ${quoted}`;
    return `toString(${quoted}) AS ${quoted}`;
  });
  return `SELECT ${shown.join(', ')} FROM deltaLakeLocal('${path}') SETTINGS delta_lake_snapshot_version = ${version}`;
}

function sort(rows: readonly SampleRow[]): readonly SampleRow[] {
  return rows.toSorted((a, b) => Number(a['id']) - Number(b['id']));
}

async function ask(queries: readonly string[]): Promise<readonly (readonly SampleRow[] | string)[]> {
  const answers = await askChdb(queries, folder);
  return answers.map((rows) => (typeof rows === 'string' ? rows : sort(rows)));
}
