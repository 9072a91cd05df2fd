import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Datasets } from '../../../../shared/domains/datasets/datasets.ts';
import { type DatasetBench, ingestWork, openDatasetBench } from '../../../support/datasets/datasets.ts';

let bench: DatasetBench;
let datasets: Datasets;

beforeAll(async () => {
  bench = await openDatasetBench();
  ({ datasets } = bench);
});
afterAll(() => bench.close());

const { signal } = ingestWork;

async function overwrite(dataset: string, lines: readonly string[]): Promise<void> {
  await bench.ingest(datasets, dataset, `${lines.join('\n')}\n`, { mode: 'overwrite' });
}

const settings = (keys: readonly string[]) => ({
  description: '',
  mode: 'append' as const,
  keys: [...keys],
  constraints: [],
  columns: [],
  maxBadFraction: 0.01,
});

/** Two tables with known differences: every 7th row is removed, every 5th has another text, 40 are added. */
const ids = Array.from({ length: 500 }, (_, id) => id);
const isGone = (id: number) => id % 7 === 0;
const isChanged = (id: number) => id % 5 === 0;
const before = ['id,name', ...ids.map((id) => `${id},was ${id}`)];
const after = [
  'id,name',
  ...ids.filter((id) => !isGone(id)).map((id) => `${id},${isChanged(id) ? 'is' : 'was'} ${id}`),
  ...Array.from({ length: 40 }, (_, index) => `${1_000 + index},new`),
];

test('compares rows by the keys of the settings, page by page', async () => {
  await datasets.settings.put('keyed', settings(['id']), 'test');
  await overwrite('keyed', before);
  await overwrite('keyed', after);
  const rows = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const request = { limit: 37, cursor };
    const page = await datasets.diffs.rows({ dataset: 'keyed', to: 'latest' }, request, signal);
    expect(page).toMatchObject({ dataset: 'keyed', from: 0, to: 1, keys: ['id'] });
    if (pages === 0)
      expect(page.counts).toEqual({
        added: 40,
        removed: ids.filter(isGone).length,
        changed: ids.filter((id) => isChanged(id) && !isGone(id)).length,
        unchanged: ids.filter((id) => !isChanged(id) && !isGone(id)).length,
      });
    rows.push(...page.rows);
    ({ cursor } = page);
    pages += 1;
  } while (cursor !== undefined);
  expect(pages).toBe(Math.ceil(rows.length / 37));
  const found = rows.map((row) =>
    row.kind === 'changed'
      ? [row.key[0], row.changes.map(({ column, before: a, after: b }) => [column, a, b])]
      : [row.row[0], row.kind],
  );
  const expected: unknown[] = [
    ...ids.flatMap((id): unknown[] => {
      if (isGone(id)) return [[id, 'removed']];
      return isChanged(id) ? [[id, [['name', `was ${id}`, `is ${id}`]]]] : [];
    }),
    ...Array.from({ length: 40 }, (_, index) => [1_000 + index, 'added']),
  ];
  expect(found).toEqual(expected);
});

test('compares rows as multisets with keys=[], even when the settings have keys', async () => {
  await datasets.settings.put('bag', settings(['id']), 'test');
  await overwrite('bag', ['id,name', '1,a', '2,b', '3,c']);
  await overwrite('bag', ['id,name', '1,a', '2,B', '4,d']);
  const compared = { dataset: 'bag', from: '0', to: '1' };
  const page = await datasets.diffs.rows(compared, { keys: [], limit: 10 }, signal);
  expect(page.counts).toEqual({ added: 2, removed: 2, changed: 0, unchanged: 1 });
  const found = page.rows.map((row) => JSON.stringify([row.kind, 'row' in row && row.row]));
  expect(found.sort().map((text) => JSON.parse(text) as unknown)).toEqual([
    ['added', [2, 'B']],
    ['added', [4, 'd']],
    ['removed', [2, 'b']],
    ['removed', [3, 'c']],
  ]);
  const backwards = { dataset: 'bag', from: 'latest', to: '0' };
  expect((await datasets.diffs.rows(backwards, { limit: 1 }, signal)).counts).toEqual({
    added: 1,
    removed: 1,
    changed: 1,
    unchanged: 1,
  });
});

test('compares columns and figures', async () => {
  await overwrite('grown', ['id', '1', '2', '3', '4']);
  await overwrite('grown', ['id,city', '1,Oslo', '2,Oslo', '3,Rome', '14,Rome']);
  const compared = { dataset: 'grown', to: '1' };
  expect(await datasets.diffs.schema(compared)).toEqual({
    dataset: 'grown',
    from: 0,
    to: 1,
    added: [{ name: 'city', type: 'string', nullable: true }],
    removed: [],
    retyped: [],
    nullability: [],
  });
  const { rows, columns } = await datasets.diffs.profile(compared, signal);
  expect(rows).toEqual({ before: 4, after: 4 });
  expect(columns.map(({ name, kind }) => [name, kind])).toEqual([
    ['city', 'added'],
    ['id', 'changed'],
  ]);
  const [, id] = columns;
  expect(id?.figures.find(({ figure }) => figure === 'mean')).toMatchObject({ before: 2.5, after: 5 });
});

test('a restored version has a profile, too', async () => {
  await overwrite('again', ['id', '1', '2']);
  await overwrite('again', ['id', '3']);
  const restored = await datasets.restore('again', '0', 'test');
  await expect(datasets.profiles.get('again', restored.version)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const made = await datasets.profiles.read('again', restored.version, signal);
  expect(made.rows).toBe(2);
  expect(await datasets.profiles.get('again', restored.version)).toEqual(made);
});

test('explains which versions cannot be compared', async () => {
  await overwrite('plain', ['id,name', '1,a', '2,a']);
  await overwrite('plain', ['id,name', '1,a', '2,b']);
  await overwrite('plain', ['id,name', '1,a', '2,c']);
  const ask = (compared: { from?: string; to: string }, request: { keys?: string[]; cursor?: string } = {}) =>
    datasets.diffs.rows({ dataset: 'plain', ...compared }, { limit: 1, ...request }, signal);
  await expect(ask({ to: '0' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/"from"/) as string,
  });
  await expect(ask({ to: '7' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(ask({ to: '1', from: 'never' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(ask({ to: '1' }, { keys: ['id "'] })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/id/) as string,
  });
  await expect(ask({ to: '1' }, { keys: ['name'] })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/name/) as string,
  });
  const { cursor } = await ask({ to: '1' });
  await expect(ask({ to: '2' }, { cursor: cursor! })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect((await ask({ to: '1' }, { cursor: cursor! })).rows).toHaveLength(1);
});
