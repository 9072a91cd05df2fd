import type { ProfileLimits } from '../../../domains/datasets/profiles/table-profiler.ts';
import { runQuery } from '../run-query.ts';
import type { ColumnWork } from './groups.ts';
import type { Figures } from './profile-ordered.ts';

/** Profiles strings in one statement: storing the groups would cost a third more. */
export async function profileTexts(work: ColumnWork, limits: ProfileLimits): Promise<Figures> {
  const { topValues, textChars } = limits;
  const result = await runQuery(
    work.connection,
    `WITH groups AS MATERIALIZED (${groupBy(work)}),
     facts AS (SELECT count(*)::DOUBLE, coalesce(sum(n), 0)::DOUBLE, left(min(v), ${textChars + 1}), left(max(v), ${textChars + 1}),
       min(length(v))::DOUBLE, max(length(v))::DOUBLE, sum(length(v) * n)::DOUBLE,
       coalesce(sum(n) FILTER (v = ''), 0)::DOUBLE FROM groups),
     best AS (SELECT v, n FROM groups ORDER BY n DESC, v LIMIT ${topValues}),
     top AS (SELECT list(left(v, ${textChars + 1}) ORDER BY n DESC, v), list(n::DOUBLE ORDER BY n DESC, v) FROM best)
     SELECT * FROM facts, top`,
    work.signal,
  );
  const row = result.getRowsJS()[0] ?? [];
  const [distinct, count, min, max, shortest, longest, sum, empty, values, rows] = row as [
    ...[number, number, string, string, number, number, number, number],
    ...[readonly string[] | null, readonly number[] | null],
  ];
  if (count === 0) return { count, distinct, top: [] };
  const [least, greatest] = [cut(min, textChars), cut(max, textChars)];
  return {
    count,
    distinct,
    min: least.value,
    max: greatest.value,
    ...(least.isCut || greatest.isCut ? { isCut: true as const } : {}),
    lengths: { min: shortest, mean: sum / count, max: longest, empty },
    top: (values ?? []).map((value, index) => {
      const text = cut(value, textChars);
      return { value: text.value, rows: rows?.[index] ?? 0, ...(text.isCut ? { isCut: true as const } : {}) };
    }),
  };
}

export async function profileBinary(work: ColumnWork): Promise<Figures> {
  const result = await runQuery(
    work.connection,
    `SELECT count(*)::DOUBLE, coalesce(sum(n), 0)::DOUBLE, min(octet_length(v))::DOUBLE, max(octet_length(v))::DOUBLE,
       sum(octet_length(v) * n)::DOUBLE, coalesce(sum(n) FILTER (octet_length(v) = 0), 0)::DOUBLE
     FROM (${groupBy(work)})`,
    work.signal,
  );
  const [distinct = 0, count = 0, min = 0, max = 0, sum = 0, empty = 0] = result.getRows()[0] as number[];
  if (count === 0) return { count, distinct };
  return { count, distinct, lengths: { min, mean: sum / count, max, empty } };
}

export async function profileBooleans(work: ColumnWork): Promise<Figures> {
  const { connection, from, expression, signal } = work;
  const result = await runQuery(
    connection,
    `SELECT count(*) FILTER (x)::DOUBLE, count(*) FILTER (NOT x)::DOUBLE FROM (SELECT ${expression} AS x FROM ${from})`,
    signal,
  );
  const [trues, falses] = result.getRows()[0] as [number, number];
  const values = [
    { value: 'false', rows: falses },
    { value: 'true', rows: trues },
  ].filter(({ rows }) => rows > 0);
  return {
    count: trues + falses,
    distinct: values.length,
    ...(values.length > 0 ? { min: values[0]?.value, max: values.at(-1)?.value } : {}),
    booleans: { trues, falses },
    top: values.sort((a, b) => b.rows - a.rows),
  };
}

function groupBy({ from, expression }: ColumnWork): string {
  return `SELECT v, count(*) AS n FROM (SELECT ${expression} AS v FROM ${from}) WHERE v IS NOT NULL GROUP BY v`;
}

/** Cuts a text that was read with one more code point than the limit. */
function cut(text: string, textChars: number): { readonly value: string; readonly isCut: boolean } {
  const points = text.length > textChars ? Array.from(text) : [];
  return points.length > textChars
    ? { value: points.slice(0, textChars).join(''), isCut: true }
    : { value: text, isCut: false };
}
