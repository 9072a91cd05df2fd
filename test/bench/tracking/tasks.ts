import type { TrackingClient } from './client.ts';
import type { Operation } from './meter.ts';

/** What is measured, with the goals beside each peer. */
export interface Task {
  readonly name: string;
  readonly goals: { readonly mlflow: string; readonly fasttrackml: string };
  /** The goal of the time of one call, for calls that answer with a page. */
  readonly latencyGoal?: string;
  prepare(client: TrackingClient): Promise<Operation>;
}

const batchGoals = { mlflow: 'ratio >= 3', fasttrackml: 'ratio >= 3' };

export const tasks: readonly Task[] = [
  {
    name: 'log-batch-1000-points',
    goals: batchGoals,
    prepare: prepareBatches((count, index) => ({
      key: `metric-${index % 10}`,
      step: count * 100 + Math.floor(index / 10),
    })),
  },
  {
    name: 'log-batch-1000-metrics',
    goals: batchGoals,
    prepare: prepareBatches((count, index) => ({ key: `metric-${index}`, step: count })),
  },
  {
    name: 'log-metric',
    goals: { mlflow: 'ratio >= 3', fasttrackml: 'ratio >= 1.2' },
    prepare: async (client) => {
      const runId = await client.createRun();
      return (count) => client.logMetric(runId, 'loss', count);
    },
  },
  {
    name: 'create-run',
    goals: { mlflow: 'ratio >= 2', fasttrackml: 'ratio >= 1.2' },
    prepare: async (client) => () => client.createRun(),
  },
  searchTask('search-page-narrow', "metrics.m1 > 0.9 and params.p1 = 'a'", 'metrics.m2 DESC'),
  searchTask('search-page-wide', 'metrics.m1 > 0.5', 'metrics.m3 ASC'),
];

/** A thousand metrics per batch, all into one run, each batch later than the last. */
function prepareBatches(
  place: (count: number, index: number) => { key: string; step: number },
): Task['prepare'] {
  return async (client) => {
    const runId = await client.createRun();
    return (count) =>
      client.logBatch(
        runId,
        Array.from({ length: 1_000 }, (_, index) => {
          const { key, step } = place(count, index);
          return { key, step, value: Math.sqrt(index + count), timestamp: 1_750_000_000_000 + step };
        }),
      );
  };
}

function searchTask(name: string, filter: string, order: string): Task {
  return {
    name,
    goals: { mlflow: 'ratio >= 20', fasttrackml: 'ratio >= 10' },
    latencyGoal: 'value <= 100',
    prepare: async (client) => () => client.search(filter, order),
  };
}
