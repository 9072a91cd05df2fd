import type { DocumentQuery } from '../../../platform/storage/documents.ts';
import type { Database } from './database.ts';
import type { Scope } from './index-scans.ts';
import { countRange } from './index-scans.ts';
import { PageReader } from './page-reader.ts';
import type { Page, PageRequest } from './pages.ts';
import type { Driver } from './ranges.ts';
import { findDrivers } from './ranges.ts';

/** Reads a page. Needs an open transaction, so that its queries see one snapshot. */
export function readPage(database: Database, request: PageRequest): Page {
  const { query, after, budget } = request;
  const scope = findScope(database, query);
  if (scope === undefined) return { documents: [], cost: { plan: 'nothing', probedRows: 0, visitedRows: 0 } };
  const drivers = query.filter === undefined ? [] : findDrivers(query.filter);
  const { best, probedRows } = chooseDriver(database, scope, drivers, budget.gatheredDocuments);
  const reader = new PageReader(database, scope, request, probedRows);
  if (best !== undefined) {
    const gathered = reader.gather(reader.collect(best), after);
    if (gathered !== undefined) return gathered;
  }
  return reader.walkOrNarrow(drivers, after);
}

function findScope(database: Database, query: DocumentQuery): Scope | undefined {
  const { container, partition } = query;
  if (partition === undefined) return { container };
  const row = database
    .prepare<{ readonly id: number }>(
      'SELECT partition_id AS id FROM partitions WHERE container = ? AND name = ?',
    )
    .get(container, partition);
  return row === undefined ? undefined : { container, partitionId: row.id };
}

/** Counts the rows of each driver, up to the best count so far, and discards drivers that are not selective. */
function chooseDriver(
  database: Database,
  scope: Scope,
  drivers: readonly Driver[],
  mostRows: number,
): { readonly best: Driver | undefined; readonly probedRows: number } {
  let best: Driver | undefined;
  let bound = mostRows;
  let probedRows = 0;
  for (const driver of drivers) {
    let count = 0;
    for (const range of driver) {
      count += countRange(database, scope, range, bound + 1 - count);
      if (count > bound) break;
    }
    probedRows += count;
    if (count > bound) continue;
    best = driver;
    bound = count;
    if (bound === 0) break;
  }
  return { best, probedRows };
}
