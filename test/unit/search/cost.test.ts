import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageCost } from '../../../shared/adapters/embedded/documents/pages.ts';
import { searchDocuments } from '../../../shared/platform/search/search.ts';
import type { Filter } from '../../../shared/platform/storage/documents.ts';
import { runSubject } from '../../../shared/domains/tracking/subjects/runs.ts';
import type { SqliteFixture } from '../../support/documents/stores.ts';
import { openSqliteFixture } from '../../support/documents/stores.ts';
import { fillWithRuns } from '../../support/tracking/search-runs.ts';

/** Counts instead of times: reads do not grow with the number of documents, and index rows stay few per run. */
describe('the cost of a page of 100', () => {
  const runs = 20_000;
  const container = 'tracking';
  const costs: PageCost[] = [];
  let fixture: SqliteFixture;
  beforeAll(async () => {
    fixture = await openSqliteFixture({ onPage: (cost) => costs.push(cost) });
    await fillWithRuns(fixture.store, container, '1', runs);
  });
  afterAll(() => fixture.dispose());

  const scope: Filter = {
    op: 'and',
    filters: [
      { op: 'compare', test: 'eq', path: ['kind'], value: 'run' },
      { op: 'compare', test: 'eq', path: ['run', 'lifecycleStage'], value: 'active' },
    ],
  };

  async function costOf(filter: string, orderBy: readonly string[], partition: string | undefined) {
    costs.length = 0;
    const page = await searchDocuments(fixture.store, {
      container,
      ...(partition === undefined ? {} : { partition }),
      scope,
      subject: runSubject,
      filter,
      orderBy,
      limit: 100,
    });
    return {
      found: page.documents.length,
      documents: costs.reduce((sum, cost) => sum + cost.visitedRows, 0),
      indexRows: costs.reduce((sum, cost) => sum + cost.probedRows, 0),
    };
  }

  /** Minimum of results; rows and documents read; index rows counted or read per stored run. */
  const cases: readonly (readonly [string, readonly string[], number, number, number])[] = [
    ['', [], 100, 120, 0.2],
    ['metrics.a > 0.5', ['metrics.c DESC'], 100, 300, 0.2],
    ['metrics.a > 0.97', ['metrics.c DESC'], 100, 1_500, 0.3],
    ['metrics.a > 0.9', ['metrics.c'], 100, 1_500, 0.5],
    // Nearly every run fulfils one of them, hardly any both.
    ['metrics.a > 0.5 AND metrics.b > 0.5', ['metrics.c'], 20, 800, 3],
    ['metrics.a > 0.9 AND metrics.b > 0.9', ['metrics.c'], 0, 800, 3],
    ["params.model = 'm77'", ['metrics.c'], 20, 100, 0.5],
    ["params.lr = '0.01'", ['metrics.c'], 100, 500, 0.3],
    ["params.model = 'm77' OR tags.team = 't3' AND metrics.c < 0.1", ['metrics.c'], 60, 2_000, 2],
    ['', ['params.lr'], 100, 600, 0.5],
    ['', ['params.optimizer', 'params.depth DESC'], 100, 1_200, 1.5],
    ['', ['metrics.rare DESC'], 100, 300, 0.5],
    ["tags.note LIKE '%abc%'", ['metrics.c'], 1, 1_000, 5],
    ["tags.note ILIKE '%ABC%'", [], 1, 600, 2],
    ["datasets.name = 'ds3'", ['metrics.c'], 100, 2_500, 0.5],
    ['metrics.e IS NULL', ['metrics.c'], 20, 1_000, 5],
    ["tags.nothing = 'x'", ['metrics.c'], 0, 0, 0.5],
  ];

  it.each(cases)('%s by %s', async (filter, orderBy, atLeast, documents, indexRowsPerRun) => {
    for (const partition of ['1', undefined]) {
      const cost = await costOf(filter, orderBy, partition);
      expect(cost.found).toBeGreaterThanOrEqual(atLeast);
      expect(cost.documents).toBeLessThanOrEqual(documents);
      expect(cost.indexRows).toBeLessThanOrEqual(indexRowsPerRun * runs);
    }
  });

  it('every page costs about the same, including the last', async () => {
    const perPage: number[] = [];
    let found = 0;
    let pageToken: string | undefined;
    do {
      costs.length = 0;
      const page: Awaited<ReturnType<typeof searchDocuments>> = await searchDocuments(fixture.store, {
        container,
        partition: '1',
        scope,
        subject: runSubject,
        orderBy: ['params.lr DESC', 'metrics.d'],
        limit: 1_000,
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      found += page.documents.length;
      ({ pageToken } = page);
      perPage.push(costs.reduce((sum, cost) => sum + cost.visitedRows, 0));
    } while (pageToken !== undefined);
    expect(found).toBe(runs);
    expect(perPage.length).toBe(runs / 1_000);
    expect(Math.max(...perPage)).toBeLessThan(10_000);
  });
});
