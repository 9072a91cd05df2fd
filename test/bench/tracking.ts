import { deepEqual, equal } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whyNoPython } from '../../scripts/python-environment.ts';
import { type Figure, checkGoal } from './figure.ts';
import { TrackingClient } from './tracking/client.ts';
import type { TrackingServer } from './tracking/launch.ts';
import { Meter } from './tracking/meter.ts';
import { writeRuns } from './tracking/runs.ts';
import { servers } from './tracking/servers.ts';
import { type Task, tasks } from './tracking/tasks.ts';

const runCount = 100_000;
const rounds = 5;
const peers = ['mlflow', 'fasttrackml'] as const;
const platform = 'platform';

type Peer = (typeof peers)[number];
type Measured<Value> = ReadonlyMap<Peer | typeof platform, Value>;

/** Experiment tracking against `mlflow server` and FastTrackML on SQLite, all with the same 100,000 runs. */
export async function* trackingBench(): AsyncGenerator<Figure> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const started: TrackingServer[] = [];
  const clients = new Map<Peer | typeof platform, TrackingClient>();
  const runsFile = join(folder, 'runs.jsonl');
  try {
    await writeRuns(runsFile, runCount);
    const reason = whyNoPython();
    if (reason) console.error(`Skipping the peers: ${reason}`);
    for (const name of [platform, ...(reason ? [] : peers)] as const) {
      const server = await start(name, { folder, runCount, runsFile });
      if (server === undefined) continue;
      started.push(server);
      clients.set(name, new TrackingClient(server));
    }
    for (const task of tasks) yield* benchTask(task, clients);
    for (const peer of peers)
      yield toFigure(peer, 'memory', 'MB', 'ratio <= 1', clients, (client) => client.measureMemory());
  } finally {
    for (const client of clients.values()) client.close();
    for (const server of started) await server.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns undefined for a peer that cannot be installed or started here */
async function start(
  name: keyof typeof servers,
  seed: Parameters<(typeof servers)[typeof platform]>[0],
): Promise<TrackingServer | undefined> {
  if (name === platform) return servers[name](seed);
  try {
    return await servers[name](seed);
  } catch (error) {
    console.error(`Skipping ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function* benchTask(
  task: Task,
  clients: ReadonlyMap<Peer | typeof platform, TrackingClient>,
): AsyncGenerator<Figure> {
  const meters = new Map<Peer | typeof platform, Meter>();
  for (const [name, client] of clients) meters.set(name, new Meter(await task.prepare(client)));
  // The first round warms the servers up. Servers take turns, so that a slow moment of the machine hits all.
  for (let round = 0; round <= rounds; round += 1)
    for (const meter of meters.values()) await meter.run(round > 0);
  if (task.latencyGoal !== undefined) checkPages(meters);
  for (const peer of peers) {
    yield toFigure(peer, task.name, '1/s', task.goals[peer], meters, ({ rate }) => rate);
    if (task.latencyGoal === undefined) continue;
    const name = `${task.name}-slowest-of-20`;
    yield toFigure(peer, name, 'ms', task.latencyGoal, meters, ({ slowestOfTwenty }) => slowestOfTwenty);
  }
}

/** Another order or selection of runs would be a different task. */
function checkPages(meters: Measured<Meter>): void {
  const answers = [...meters.values()].filter(({ gaveUp }) => !gaveUp).map(({ lastAnswer }) => lastAnswer);
  equal((answers[0] as readonly string[]).length, 100);
  for (const answer of answers) deepEqual(answer, answers[0]);
}

/** `name` beside MLflow, `name-fasttrackml` beside FastTrackML. */
function toFigure<Value>(
  peer: Peer,
  name: string,
  unit: string,
  goal: string,
  measured: Measured<Value>,
  measure: (of: Value) => number,
): Figure {
  const beside = measured.get(peer);
  const peerValue = beside === undefined ? Number.NaN : measure(beside);
  return checkGoal({
    bench: 'tracking',
    name: peer === 'mlflow' ? name : `${name}-${peer}`,
    value: measure(measured.get(platform)!),
    // A peer without an answer has no figure.
    peer: Number.isNaN(peerValue) ? null : peerValue,
    unit,
    goal,
  });
}
