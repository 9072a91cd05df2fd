import { z } from 'zod';
import type { Route } from '../../http/route.ts';
import { runStatuses } from '../../../domains/tracking/entities.ts';
import type { Tracking } from '../../../domains/tracking/tracking.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, keyValues, repeated, requiredText, text } from '../messages/message.ts';
import { metricShape, toLoggedMetric } from '../messages/logged-metrics.ts';
import { enumeration, fromRun, fromRunInfo, view } from '../messages/tracking.ts';
import { runNames } from '../search-names.ts';

const searchDefault = 1_000;

function ofRun<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.object({ run_id: requiredText(), ...shape });
}

/** Protobuf numbers the statuses from 1. */
const status = () =>
  enumeration(
    Object.fromEntries(
      runStatuses.flatMap((name, index) => [[name, name] as const, [index + 1, name] as const]),
    ),
  );

/** `mlflow/runs/…`, except for the links to datasets and models. */
export function runEndpoints({ runs, search }: Tracking): readonly Route[] {
  return [
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/create',
      summary: 'Creates a run.',
      role: 'contributor',
      message: z.object({
        experiment_id: requiredText(),
        user_id: text().optional(),
        run_name: text().optional(),
        start_time: int64().optional(),
        tags: keyValues().default([]),
      }),
      handle: async (message, { principal }) => {
        const wanted = {
          experimentId: message.experiment_id,
          userId: message.user_id,
          name: message.run_name,
          startTime: message.start_time,
          tags: message.tags,
        };
        // MLflow's answer has no outputs here.
        const { outputs: _, ...run } = fromRun(await runs.create(wanted, principal.name));
        return { run };
      },
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/runs/get',
      summary: 'Gets a run with its latest metrics.',
      role: 'reader',
      message: ofRun({}),
      handle: async ({ run_id }) => ({ run: fromRun(await runs.get(run_id)) }),
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/update',
      summary: 'Sets the status, end time and name of a run.',
      role: 'contributor',
      message: ofRun({
        status: status().optional(),
        end_time: int64().optional(),
        run_name: text().optional(),
      }),
      handle: async (message, { principal }) => {
        const update = { status: message.status, endTime: message.end_time, name: message.run_name };
        const run = await runs.update(message.run_id, update, principal.name);
        return { run_info: fromRunInfo(run) };
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/delete',
      summary: 'Deletes a run; restoring brings it back.',
      role: 'contributor',
      message: ofRun({}),
      handle: async ({ run_id }, { principal }) => {
        await runs.delete(run_id, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/restore',
      summary: 'Restores a deleted run.',
      role: 'contributor',
      message: ofRun({}),
      handle: async ({ run_id }, { principal }) => {
        await runs.restore(run_id, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/set-tag',
      summary: 'Sets a tag of a run.',
      role: 'contributor',
      message: ofRun({ key: requiredText(), value: text().default('') }),
      handle: async ({ run_id, key, value }, { principal }) => {
        await runs.setTag(run_id, { key, value }, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/delete-tag',
      summary: 'Deletes a tag of a run.',
      role: 'contributor',
      message: ofRun({ key: requiredText() }),
      handle: async ({ run_id, key }, { principal }) => {
        await runs.deleteTag(run_id, key, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/log-parameter',
      summary: 'Logs a param, whose value never changes.',
      role: 'contributor',
      message: ofRun({ key: requiredText(), value: text().default('') }),
      handle: async ({ run_id, key, value }, { principal }) => {
        await runs.logParam(run_id, { key, value }, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/log-metric',
      summary: 'Logs a point of a metric.',
      role: 'contributor',
      message: ofRun(metricShape()),
      handle: async (message, { principal }) => {
        await runs.logMetric(message.run_id, toLoggedMetric(message), principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/log-batch',
      summary: 'Logs metrics, params and tags atomically.',
      role: 'contributor',
      message: ofRun({
        metrics: repeated(z.object(metricShape()).transform(toLoggedMetric)).default([]),
        params: keyValues().default([]),
        tags: keyValues().default([]),
      }),
      handle: async ({ run_id, metrics, params, tags }, { principal }) => {
        await runs.logBatch(run_id, { metrics, params, tags }, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/search',
      summary: 'Searches the runs of experiments.',
      role: 'reader',
      message: z.object({
        experiment_ids: repeated(text()).default([]),
        filter: text().optional(),
        run_view_type: view(),
        max_results: int64().default(searchDefault),
        order_by: repeated(text()).optional(),
        page_token: text().optional(),
      }),
      handle: async (message) => {
        const found = await search.searchRuns(message.experiment_ids, {
          stage: message.run_view_type,
          filter: message.filter,
          orderBy: message.order_by,
          limit: message.max_results,
          pageToken: message.page_token || undefined,
          names: runNames,
        });
        return {
          ...(found.items.length === 0 ? {} : { runs: found.items.map(fromRun) }),
          ...(found.pageToken === undefined ? {} : { next_page_token: found.pageToken }),
        };
      },
    }),
  ].flat();
}
