import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../../shared/core/ids.ts';
import { diffRows, maxDiffRows } from '../../../../shared/domains/datasets/diff/diff-rows.ts';
import type { DiffRow } from '../../../../shared/domains/datasets/diff/row-diff.ts';
import { splitSharedFiles } from '../../../../shared/domains/datasets/diff/shared-files.ts';
import type { FileCache } from '../../../../shared/domains/datasets/reading/file-cache.ts';
import type { ReadableVersion } from '../../../../shared/domains/datasets/versions/readable-version.ts';
import type { DataFile } from '../../../../shared/domains/datasets/tables/data-file.ts';
import type { Column } from '../../../../shared/domains/datasets/schema/column.ts';
import { createRowDiffer } from '../../../../shared/adapters/duckdb/diffing/row-differ.ts';
import { writeParquetFile } from '../../../support/datasets/parquet-table.ts';

const columns: readonly Column[] = [
  { name: 'id', type: 'int64', nullable: false },
  { name: 'text', type: 'string', nullable: true },
];
const local = new Map<string, string>();
const opened: string[] = [];
let held = 0;
/** Local files of a version, and which of them were requested. */
const files: FileCache = {
  open: (wanted) => {
    held += 1;
    opened.push(...wanted.map(({ path }) => path));
    const paths = wanted.map(({ path }) => local.get(path) ?? '');
    return Promise.resolve({
      paths,
      [Symbol.asyncDispose]: () => {
        held -= 1;
        return Promise.resolve();
      },
    });
  },
};
const deps = { files, differ: createRowDiffer({ threads: 1, memoryLimitMb: 128 }) };

async function makeFile(rows: readonly (readonly [number, string])[]): Promise<DataFile> {
  const hash = sha256(JSON.stringify(rows));
  local.set(`d/${hash}.parquet`, await writeParquetFile(columns, rows));
  return { path: `d/${hash}.parquet`, sha256: hash, sizeBytes: 1, rows: rows.length };
}

function makeVersion(version: number, ...own: readonly DataFile[]): ReadableVersion {
  return { dataset: 'd', version, sha256: sha256(JSON.stringify([version, own])), columns, files: own };
}

const same = await makeFile([
  [1, 'a'],
  [2, 'b'],
]);
const old = await makeFile([
  [3, 'c'],
  [4, 'd'],
  [5, 'e'],
]);
const fresh = await makeFile([
  [3, 'c'],
  [4, 'D'],
  [6, 'f'],
]);

describe('the difference of two versions', () => {
  test('reads only files that they do not share, and counts shared rows as unchanged', async () => {
    opened.length = 0;
    const found = await diffRows(deps, makeVersion(0, same, old), makeVersion(1, fresh, same), {
      keys: ['id'],
      limit: 10,
    });
    expect(opened.toSorted()).toEqual([old.path, fresh.path].toSorted());
    expect(held).toBe(0);
    expect(found).toEqual({
      counts: { added: 1, removed: 1, changed: 1, unchanged: 3 },
      columns: [
        { name: 'id', before: 'int64', after: 'int64' },
        { name: 'text', before: 'string', after: 'string' },
      ],
      keys: ['id'],
      rows: [
        { kind: 'changed', key: [4], changes: [{ column: 'text', before: 'd', after: 'D' }] },
        { kind: 'removed', row: [5, 'e'], before: 1, after: 0 },
        { kind: 'added', row: [6, 'f'], before: 0, after: 1 },
      ],
    });
  });

  test('has pages, the first with counts, and a cursor bound to the versions and keys', async () => {
    const [a, b] = [makeVersion(0, same, old), makeVersion(1, same, fresh)];
    const rows: DiffRow[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await diffRows(deps, a, b, { keys: ['id'], limit: 2, cursor });
      expect(page.counts === undefined).toBe(pages > 0);
      rows.push(...page.rows);
      cursor = page.cursor ?? '';
      if (cursor !== '')
        for (const [x, y, keys] of [
          [b, a, ['id']],
          [a, b, ['text']],
          [a, b, []],
        ] as const)
          await expect(diffRows(deps, x, y, { keys, limit: 2, cursor })).rejects.toMatchObject({
            code: 'INVALID_ARGUMENT',
          });
      pages += 1;
    } while (cursor !== '');
    expect(pages).toBe(2);
    expect(rows).toEqual((await diffRows(deps, a, b, { keys: ['id'], limit: 100 })).rows);
    expect(rows).toHaveLength(3);
  });

  test.each([0, 1.5, maxDiffRows + 1])('refuses a limit of %d', async (limit) => {
    const version = makeVersion(0, same);
    await expect(diffRows(deps, version, version, { limit })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test.each(['', 'x', Buffer.from('[1,"a",-1]').toString('base64url')])(
    'refuses the cursor %j',
    async (cursor) => {
      const version = makeVersion(0, same);
      await expect(diffRows(deps, version, version, { limit: 1, cursor })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    },
  );

  test('is empty for equal versions, without opening a file', async () => {
    opened.length = 0;
    const version = makeVersion(0, same, old);
    const found = await diffRows(deps, version, version, { limit: 10 });
    expect(found).toMatchObject({ counts: { added: 0, removed: 0, changed: 0, unchanged: 5 }, rows: [] });
    expect(found.cursor).toBeUndefined();
    expect(opened).toEqual([]);
  });
});

test('a file in both versions several times is shared as often; without a hash its path identifies it', () => {
  const again = { ...same, path: `${same.path}.1` };
  const foreign = { path: 'd/part-0.parquet', sizeBytes: 1, rows: 7 };
  expect(splitSharedFiles([same, again, old, foreign], [same, fresh, foreign])).toEqual({
    before: [again, old],
    after: [fresh],
    sharedRows: 9,
  });
});
