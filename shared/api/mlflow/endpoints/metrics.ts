import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import type { Route } from '../../http/route.ts';
import type { Tracking } from '../../../domains/tracking/tracking.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, requiredText, text } from '../messages/message.ts';
import { fromMetric } from '../messages/tracking.ts';

/** Bounds an answer to some ten megabytes. Clients request 25,000 points and follow the token. */
const maxPoints = 100_000;

/** `mlflow/metrics/get-history` */
export function metricEndpoints({ runs }: Tracking): readonly Route[] {
  return defineEndpoint({
    methods: ['GET'],
    path: 'mlflow/metrics/get-history',
    summary: 'Gets the history of a metric, sorted by timestamp, step and value.',
    role: 'reader',
    message: z.object({
      run_id: requiredText(),
      metric_key: requiredText(),
      max_results: int64().optional(),
      page_token: text().optional(),
    }),
    handle: async ({ run_id, metric_key, max_results, page_token }) => {
      if (max_results !== undefined && max_results < 1)
        throw new AppError(
          'INVALID_ARGUMENT',
          `Invalid value ${max_results} for parameter 'max_results' supplied. It must be a positive integer.`,
        );
      const limit = Math.min(max_results ?? maxPoints, maxPoints);
      const page = await runs.getHistory(run_id, metric_key, { limit, pageToken: page_token || undefined });
      return {
        ...(page.points.length === 0
          ? {}
          : { metrics: page.points.map((point) => fromMetric(metric_key, point)) }),
        ...(page.pageToken === undefined ? {} : { next_page_token: page.pageToken }),
      };
    },
  });
}
