import { deepEqual, equal } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareEnvironment, whyNoPython } from '../../scripts/python-environment.ts';
import { type Figure, judge } from './figure.ts';
import { NoAnswer, TrackingClient } from './tracking-client.ts';
import { writeRuns } from './tracking-runs.ts';
import { measureMemory, startMlflow, startPlatform, type TrackingServer } from './tracking-servers.ts';

const runCount = 100_000;
const rounds = 5;
const roundMs = 1_000;
/** What takes so long is measured once: it is warm enough, and its figure will not be close. */
const slowMs = 5_000;

/** Does one thing again and again, each time with another count. */
type Operation = (count: number) => Promise<unknown>;

interface Task {
  readonly name: string;
  readonly goal: string;
  /** What the time of one may be, where there is a goal for it too. */
  readonly latencyGoal?: string;
  prepare(client: TrackingClient): Promise<Operation>;
}

const tasks: readonly Task[] = [
  {
    name: 'log-batch-1000-points',
    goal: 'ratio >= 3',
    prepare: prepareBatches((count, index) => ({
      key: `metric-${index % 10}`,
      step: count * 100 + Math.floor(index / 10),
    })),
  },
  {
    name: 'log-batch-1000-metrics',
    goal: 'ratio >= 3',
    prepare: prepareBatches((count, index) => ({ key: `metric-${index}`, step: count })),
  },
  {
    name: 'log-metric',
    goal: 'ratio >= 3',
    prepare: async (client) => {
      const runId = await client.createRun();
      return (count) => client.logMetric(runId, 'loss', count);
    },
  },
  { name: 'create-run', goal: 'ratio >= 2', prepare: async (client) => () => client.createRun() },
  searchTask('search-page-narrow', "metrics.m1 > 0.9 and params.p1 = 'a'", 'metrics.m2 DESC'),
  searchTask('search-page-wide', 'metrics.m1 > 0.5', 'metrics.m3 ASC'),
];

/** Thousand metrics at once; each batch into the same run, later than the last. */
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
    goal: 'ratio >= 20',
    latencyGoal: 'value <= 100',
    prepare: async (client) => () => client.search(filter, order),
  };
}

/** Experiment tracking against `mlflow server` on SQLite, both with the same 100,000 runs. */
export async function* trackingBench(): AsyncGenerator<Figure> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const servers: TrackingServer[] = [];
  const clients: TrackingClient[] = [];
  try {
    const start = async (server: Promise<TrackingServer>) => {
      servers.push(await server);
      const client = new TrackingClient(await server);
      clients.push(client);
      return client;
    };
    const own = await start(startPlatform(folder, runCount));
    const reason = whyNoPython();
    if (reason) console.error(`There is nothing to compare with: ${reason}`);
    const peer = reason ? undefined : await start(startPeer(folder));
    for (const task of tasks) yield* benchTask(task, own, peer);
    yield judge({
      bench: 'tracking',
      name: 'memory',
      value: measureMemory(own.memoryPid),
      peer: peer ? measureMemory(peer.memoryPid) : null,
      unit: 'MB',
      goal: 'ratio <= 1',
    });
  } finally {
    for (const client of clients) client.close();
    for (const server of servers) await server.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function startPeer(folder: string): Promise<TrackingServer> {
  const python = prepareEnvironment('mlflow3');
  const runsFile = join(folder, 'runs.jsonl');
  await writeRuns(runsFile, runCount);
  return startMlflow(python, folder, runsFile);
}

async function* benchTask(task: Task, own: TrackingClient, peer?: TrackingClient): AsyncGenerator<Figure> {
  const ownMeter = new Meter(await task.prepare(own));
  const peerMeter = peer && new Meter(await task.prepare(peer));
  for (let round = 0; round <= rounds; round += 1) {
    // The first round warms both up.
    const isMeasured = round > 0;
    await ownMeter.run(isMeasured);
    await peerMeter?.run(isMeasured);
  }
  const figure = { bench: 'tracking', name: task.name };
  if (task.latencyGoal !== undefined) {
    equal((ownMeter.lastAnswer as readonly string[]).length, 100);
    // Another order or choice of runs would be another task.
    if (peerMeter && !peerMeter.gaveUp) deepEqual(ownMeter.lastAnswer, peerMeter.lastAnswer);
  }
  yield judge({
    ...figure,
    value: ownMeter.rate,
    peer: toPeer(peerMeter?.rate),
    unit: '1/s',
    goal: task.goal,
  });
  if (task.latencyGoal === undefined) return;
  const name = `${task.name}-slowest-of-20`;
  const slowest = { value: ownMeter.slowestOfTwenty, peer: toPeer(peerMeter?.slowestOfTwenty) };
  yield judge({ ...figure, name, ...slowest, unit: 'ms', goal: task.latencyGoal });
}

/** Without an answer there is no figure. */
function toPeer(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** Measures one operation, in rounds, one call after the other. */
class Meter {
  readonly #operation: Operation;
  readonly #rates: number[] = [];
  readonly #times: number[] = [];
  #count = 0;
  lastAnswer: unknown;
  /** An answer did not come in time. */
  gaveUp = false;

  constructor(operation: Operation) {
    this.#operation = operation;
  }

  async run(isMeasured: boolean): Promise<void> {
    if (this.gaveUp || (this.#times[0] ?? 0) > slowMs) return;
    try {
      await this.#runRound(isMeasured);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      console.error(error.message);
      this.gaveUp = true;
    }
  }

  async #runRound(isMeasured: boolean): Promise<void> {
    const startedAt = performance.now();
    const before = this.#count;
    let endedAt = startedAt;
    while (endedAt - startedAt < roundMs) {
      const calledAt = endedAt;
      this.lastAnswer = await this.#operation(this.#count);
      this.#count += 1;
      endedAt = performance.now();
      if (isMeasured) this.#times.push(endedAt - calledAt);
    }
    if (isMeasured) this.#rates.push((this.#count - before) / ((endedAt - startedAt) / 1_000));
  }

  /** Calls per second, the median of the rounds. */
  get rate(): number {
    return quantile(this.#rates, 0.5);
  }

  /** Milliseconds: 95 % of the calls took no longer. */
  get slowestOfTwenty(): number {
    return quantile(this.#times, 0.95);
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}
