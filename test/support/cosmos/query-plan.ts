import type { WireReply } from './wire.ts';
import { json } from './wire.ts';

/**
 * The gateway's answer to the SDK before a query across partitions: how to merge the streams of the physical
 * partitions, and the query to send to each. Supports only the statements that the adapter writes: their
 * condition is a conjunction, so it needs no parentheses (each level of those costs the server's parser five times
 * the time).
 */
export function planQuery(body: string): WireReply {
  const { query } = JSON.parse(body) as { query: string };
  const parts = /^SELECT \* FROM c WHERE (?<where>.*?)(?: ORDER BY (?<field>c.*) (?<order>ASC|DESC))?$/s.exec(
    query,
  );
  if (parts?.groups === undefined) throw new Error(`no plan for: ${query}`);
  const { where, field, order } = parts.groups;
  return json(200, {
    partitionedQueryExecutionInfoVersion: 2,
    queryInfo: {
      distinctType: 'None',
      top: null,
      offset: null,
      limit: null,
      orderBy: field === undefined ? [] : [order === 'ASC' ? 'Ascending' : 'Descending'],
      orderByExpressions: field === undefined ? [] : [field],
      groupByExpressions: [],
      groupByAliases: [],
      aggregates: [],
      groupByAliasToAggregateType: {},
      rewrittenQuery:
        field === undefined
          ? ''
          : `SELECT c._rid, [{"item": ${field}}] AS orderByItems, c AS payload FROM c WHERE ${where} AND {documentdb-formattableorderbyquery-filter} ORDER BY ${field} ${order}`,
      hasSelectValue: false,
      hasNonStreamingOrderBy: false,
    },
    queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
  });
}
