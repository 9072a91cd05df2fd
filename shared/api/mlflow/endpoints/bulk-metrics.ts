import { toJsonNumber } from '../../../core/json/json-number.ts';
import { z } from 'zod';
import { AppError, isAppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import type { Route } from '../../http/route.ts';
import type { MetricPoint } from '../../../domains/tracking/entities.ts';
import { sampleEvenly } from '../../../domains/tracking/metrics/interval.ts';
import type { RunService } from '../../../domains/tracking/runs/service.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, repeated, requiredText, text } from '../messages/message.ts';

const maxRuns = 100;
const maxRows = 25_000;
const maxRowsPerRun = 2_500;

type History = Pick<RunService, 'getHistory' | 'readMetricPoints'>;

/** Reads a metric's history in many runs, for MLflow's charts. */
export function bulkMetricEndpoints(runs: History): readonly Route[] {
  return [
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/metrics/get-history-bulk',
      summary: 'Gets the history of a metric in many runs: the first 25,000 points.',
      role: 'reader',
      message: z.object({
        run_id: repeated(text()).optional(),
        metric_key: text().optional(),
        max_results: int64().optional(),
      }),
      handle: async ({ run_id = [], metric_key, max_results = maxRows }) => {
        if (run_id.length === 0)
          throw invalid('GetMetricHistoryBulk request must specify at least one run_id.');
        if (run_id.length > maxRuns)
          throw invalid(
            `GetMetricHistoryBulk request cannot specify more than ${maxRuns} run_ids. Received ${run_id.length} run_ids.`,
          );
        if (metric_key === undefined)
          throw invalid('GetMetricHistoryBulk request must specify a metric_key.');
        if (max_results < 0)
          throw invalid(
            `Invalid value ${max_results} for parameter 'max_results' supplied: Value must not be negative`,
          );
        const limit = Math.min(max_results, maxRows);
        const metrics: JsonObject[] = [];
        for (const runId of [...new Set(run_id)].sort()) {
          if (metrics.length >= limit) break;
          for (const point of await readFirst(runs, runId, metric_key, limit - metrics.length))
            metrics.push(toWire(runId, metric_key, point));
        }
        return { metrics };
      },
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/metrics/get-history-bulk-interval',
      summary: 'Samples the history of a metric in many runs evenly.',
      role: 'reader',
      timeoutMs: 120_000,
      message: z.object({
        run_ids: repeated(text()),
        metric_key: requiredText(),
        start_step: int64().optional(),
        end_step: int64().optional(),
        max_results: int64().default(maxRowsPerRun),
      }),
      handle: async ({ run_ids, metric_key, start_step, end_step, max_results }) => {
        if (run_ids.length > maxRuns)
          throw invalid(
            `GetMetricHistoryBulkInterval request must specify at most ${maxRuns} run_ids. Received ${run_ids.length} run_ids.`,
          );
        if (max_results < 1 || max_results > maxRowsPerRun)
          throw invalid(`max_results must be between 1 and ${maxRowsPerRun}.`);
        const isWanted = toRange(start_step, end_step);
        const metrics: JsonObject[] = [];
        for (const runId of run_ids) {
          const batches = runs.readMetricPoints(runId, metric_key);
          for (const point of await sampleEvenly(batches, max_results, isWanted))
            metrics.push(toWire(runId, metric_key, point));
        }
        return { metrics };
      },
    }),
  ].flat();
}

/** @returns an empty list for a missing run */
async function readFirst(
  runs: History,
  runId: string,
  key: string,
  limit: number,
): Promise<readonly MetricPoint[]> {
  try {
    return (await runs.getHistory(runId, key, { limit })).points;
  } catch (error) {
    if (isAppError(error, 'NOT_FOUND')) return [];
    throw error;
  }
}

function toRange(start: number | undefined, end: number | undefined): (point: MetricPoint) => boolean {
  if (start === undefined && end === undefined) return () => true;
  if (start === undefined || end === undefined)
    throw invalid('If either start step or end step are specified, both must be specified.');
  if (start > end)
    throw invalid(`end_step must be greater than start_step. Found start_step=${start} and end_step=${end}.`);
  return ({ step }) => step >= start && step <= end;
}

function toWire(runId: string, key: string, { value, timestamp, step }: MetricPoint): JsonObject {
  return { key, value: toJsonNumber(value), timestamp, step, run_id: runId };
}

function invalid(message: string): AppError {
  return new AppError('INVALID_ARGUMENT', message);
}
