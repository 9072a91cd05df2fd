import { z } from 'zod';
import { defineGet, defineList } from '../shared/api/http/read-routes.ts';
import { compareStoredRuns, maxComparedRuns } from '../shared/domains/tracking/compare.ts';
import { experimentNames, runNames } from '../shared/api/mlflow/search-names.ts';
import type { Found } from '../shared/platform/search/search.ts';
import { asAliases, type FieldNames } from '../shared/platform/search/subject.ts';
import type { TrackingSearch } from '../shared/domains/tracking/search.ts';
import { sampleSeries } from '../shared/domains/tracking/series.ts';
import {
  comparisonViewSchema,
  experimentViewSchema,
  runSummaryViewSchema,
  runViewSchema,
  seriesViewSchema,
  toComparisonView,
  toExperimentView,
  toRunSummaryView,
  toRunView,
  toSeriesView,
} from '../shared/domains/tracking/views.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

const id = z.string().min(1).max(200);
const runId = z.string().min(8).max(200);
const byExperiment = z.object({ experimentId: id });
const byRun = z.object({ runId });

const searchQuery = z.object({
  filter: z
    .string()
    .max(20_000)
    .optional()
    .describe("Conditions joined by AND, OR, NOT and parentheses: `metrics.auc > 0.8 OR tags.kept = 'yes'`."),
  order: z
    .string()
    .max(2_000)
    .optional()
    .describe('Fields, separated by commas: `metrics.auc DESC, startTime`.'),
  stage: z.enum(['active', 'deleted', 'all']).default('active'),
  cursor: z.string().max(20_000).optional().describe('The cursor of the previous page.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

const compareQuery = z.object({
  run: z
    .string()
    .min(1)
    .max(20_000)
    .describe(`Run ids, separated by commas or repeated: at most ${maxComparedRuns}.`),
  rows: z
    .enum(['different', 'all'])
    .default('different')
    .describe('`different` omits rows with the same value in every run.'),
});

const seriesQuery = z.object({
  metric: z.string().min(1).max(1_000),
  points: z.coerce.number().int().min(10).max(10_000).default(1_000).describe('Upper bound of points.'),
  x: z.enum(['step', 'time']).default('step').describe('The axis of the chart.'),
});

registerRoutes([
  defineList({
    name: 'tracking-experiments',
    path: 'api/v1/tracking/experiments',
    summary: 'Searches experiments; by default newest first.',
    query: searchQuery,
    items: 'experiments',
    schema: experimentViewSchema,
    list: async ({ query }) =>
      toPage(await app.tracking.search.searchExperiments(toSearch(query, experimentNames)), toExperimentView),
  }),
  defineGet({
    name: 'tracking-experiment',
    path: 'api/v1/tracking/experiments/{experimentId}',
    summary: 'Gets an experiment.',
    params: byExperiment,
    description: 'The experiment.',
    schema: experimentViewSchema,
    errors: ['NOT_FOUND'],
    get: async ({ params }) => toExperimentView(await app.tracking.experiments.get(params.experimentId)),
  }),
  defineList({
    name: 'tracking-experiment-runs',
    path: 'api/v1/tracking/experiments/{experimentId}/runs',
    summary: 'Searches the runs of an experiment; by default newest first.',
    params: byExperiment,
    query: searchQuery,
    items: 'runs',
    schema: runSummaryViewSchema,
    errors: ['NOT_FOUND'],
    list: async ({ params, query }) => {
      const { experimentId } = await app.tracking.experiments.get(params.experimentId);
      const found = await app.tracking.search.searchRuns([experimentId], toSearch(query, runNames));
      return toPage(found, toRunSummaryView);
    },
  }),
  defineGet({
    name: 'tracking-runs-compare',
    path: 'api/v1/tracking/runs/compare',
    summary: 'Compares params, latest metrics and tags of runs; by default only those that differ.',
    query: compareQuery,
    description: 'The rows.',
    schema: comparisonViewSchema,
    errors: ['NOT_FOUND'],
    get: async ({ url, query }) => {
      const getRun = (runId: string) => app.tracking.runs.get(runId);
      return toComparisonView(await compareStoredRuns(getRun, readRunIds(url), query.rows));
    },
  }),
  defineGet({
    name: 'tracking-run',
    // The constraint excludes `runs/compare`: the host takes whichever route was registered first.
    path: 'api/v1/tracking/runs/{runId:minlength(8)}',
    summary: 'Gets a run with its params, tags, latest metrics, inputs and outputs.',
    params: byRun,
    description: 'The run.',
    schema: runViewSchema,
    errors: ['NOT_FOUND'],
    get: async ({ params }) => toRunView(await app.tracking.runs.get(params.runId)),
  }),
  defineGet({
    name: 'tracking-run-series',
    path: 'api/v1/tracking/runs/{runId}/series',
    summary:
      'Down-samples a metric for a chart: the extremes of each bucket of the axis, and the exact ends.',
    params: byRun,
    query: seriesQuery,
    description: 'The points; empty for an unknown metric.',
    schema: seriesViewSchema,
    errors: ['NOT_FOUND'],
    timeoutMs: 120_000,
    get: async ({ params, query }) => {
      const batches = app.tracking.runs.readMetricPoints(params.runId, query.metric);
      return toSeriesView(await sampleSeries(batches, { axis: query.x, maxPoints: query.points }));
    },
  }),
]);

/** @param names MLflow's, which are accepted besides the platform's own */
function toSearch(
  { filter, order, stage, cursor, limit }: z.infer<typeof searchQuery>,
  names: FieldNames,
): TrackingSearch {
  const orderBy = order?.split(',').map((term) => term.trim());
  return { stage, filter, orderBy, limit, pageToken: cursor, names: asAliases(names) };
}

function toPage<T, View>({ items, pageToken }: Found<T>, view: (item: T) => View) {
  return { items: items.map(view), ...(pageToken === undefined ? {} : { cursor: pageToken }) };
}

function readRunIds(url: URL): readonly string[] {
  const ids = url.searchParams.getAll('run').flatMap((value) => value.split(','));
  return [...new Set(ids.map((runId) => runId.trim()).filter((runId) => runId !== ''))];
}
