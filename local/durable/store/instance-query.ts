import type { SQLInputValue } from 'node:sqlite';
import type { Database } from './database.ts';
import { instanceColumns, instanceOf, type Instance, type InstanceRow } from './instance-store.ts';

export interface InstanceFilter {
  readonly idPrefix?: string;
  readonly createdFromMs?: number;
  readonly createdToMs?: number;
  /** Any of these; all when absent. */
  readonly statuses?: readonly string[];
}

/** Lists matching instances after `afterId`, by id. */
export function queryInstances(
  db: Database,
  filter: InstanceFilter,
  page: { readonly afterId: string; readonly limit: number },
): readonly Instance[] {
  const terms = ['instance_id > ?'];
  const values: SQLInputValue[] = [page.afterId];
  const add = (term: string, ...more: readonly SQLInputValue[]): void => {
    terms.push(term);
    values.push(...more);
  };
  const { idPrefix, createdFromMs, createdToMs, statuses } = filter;
  if (idPrefix !== undefined) add('substr(instance_id, 1, ?) = ?', Array.from(idPrefix).length, idPrefix);
  if (createdFromMs !== undefined) add('created_ms >= ?', createdFromMs);
  if (createdToMs !== undefined) add('created_ms <= ?', createdToMs);
  if (statuses !== undefined) add('status IN (SELECT value FROM json_each(?))', JSON.stringify(statuses));
  const rows = db.all<InstanceRow>(
    `SELECT ${instanceColumns} FROM df_instances WHERE ${terms.join(' AND ')} ORDER BY instance_id LIMIT ?`,
    ...values,
    page.limit,
  );
  return rows.map(instanceOf);
}
