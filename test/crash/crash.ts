import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeMonth } from '../../examples/flights/data.ts';
import {
  dataset,
  declarePipeline,
  followRun,
  model,
  type ModelVersion,
  pipeline,
  type RunView,
} from '../../examples/flights/loop.ts';
import { PlatformProcess } from '../../local/platform-process.ts';

/**
 * Kills the platform with SIGKILL at random moments of the demo's pipeline, starts it again, and checks that the
 * loop ends as if nothing had happened: one dataset version, one model version, the same model bytes as a run
 * without crashes, every step done once, no event lost.
 *
 * `npm run test:crash -- --kills 50 --seed 1`
 */
const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
  },
});
const wantedKills = Number(flags.kills);
const random = createRandom(Number(flags.seed));
const timeoutMs = 240_000;
const killsPerRound = 6;
const failures: string[] = [];

const folder = await mkdtemp(join(tmpdir(), 'slipway-crash-'));
const file = join(folder, '2001-01.parquet');
let passed = 0;
let kills = 0;
try {
  await writeMonth(1, file);
  const calm = await runRound('calm', 0);
  console.log(
    `without crashes: model ${calm.model.sha256.slice(0, 12)}…, ${calm.durationMs} ms; seed ${flags.seed}`,
  );
  for (let round = 1; kills < wantedKills; round += 1) {
    const before = kills;
    const result = await runRound(`round-${round}`, calm.durationMs);
    check(result.model.sha256 === calm.model.sha256, `round ${round}: other model bytes`);
    check(result.dataSha256 === calm.dataSha256, `round ${round}: other data bytes`);
    console.log(
      `round ${round}: ${kills - before} kills, ${kills}/${wantedKills} in all, ${result.restarts.join(' ')}`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(`\n${kills} SIGKILLs survived`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

interface RoundResult {
  readonly model: ModelVersion;
  readonly dataSha256: string;
  readonly durationMs: number;
  /** At which moments after a start the platform was killed, in milliseconds. */
  readonly restarts: readonly string[];
}

/** One file through the loop, in a data folder of its own; with `calmMs` 0 nothing is killed. */
async function runRound(name: string, calmMs: number): Promise<RoundResult> {
  const dataDir = join(folder, name);
  const start = () => PlatformProcess.start({ port: 0, dataDir });
  let platform = await start();
  const restarts: string[] = [];
  try {
    await declarePipeline(platform);
    await platform.upload('landing', `${dataset}/2001-01.parquet`, file);
    const droppedAt = performance.now();
    const mostKills = calmMs > 0 ? killsPerRound : 0;
    for (let i = 0; i < mostKills && kills < wantedKills; i += 1) {
      const afterMs = Math.round(random() * (calmMs / 2));
      await sleep(afterMs);
      if (await hasEnded(platform)) break;
      await platform.kill();
      kills += 1;
      restarts.push(`+${afterMs}ms`);
      platform = await start();
    }
    await followRun(platform, 'ingest', { timeoutMs });
    const run = await followRun(platform, pipeline, { timeoutMs });
    const durationMs = Math.round(performance.now() - droppedAt);
    return { ...(await inspect(platform, run, name)), durationMs, restarts };
  } finally {
    await platform.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function hasEnded(platform: PlatformProcess): Promise<boolean> {
  const { items } = await platform.call<{ items: RunView[] }>(
    'GET',
    `api/v1/runs?pipeline=${pipeline}&limit=1`,
  );
  return items[0]?.endedAt !== undefined;
}

async function inspect(platform: PlatformProcess, run: RunView, name: string) {
  const list = <T>(path: string) => platform.call<{ items: T[] }>('GET', path).then(({ items }) => items);
  const versions = await list<{ sha256: string }>(`api/v1/datasets/${dataset}/versions`);
  const models = await list<ModelVersion>(`api/v1/models/${model}/versions`);
  const aliases = await list<{ version: number; previousVersion: number | null }>(
    `api/v1/models/${model}/aliases`,
  );
  const runs = await list<{ runId: string; status: string }>('api/v1/runs');
  check(run.status === 'succeeded', `${name}: the run ${run.status}: ${run.error?.message}`);
  check(
    run.steps.every((step) => step.status === 'succeeded'),
    `${name}: a step did not succeed`,
  );
  check(versions.length === 1, `${name}: ${versions.length} dataset versions`);
  check(models.length === 1, `${name}: ${models.length} model versions`);
  check(
    aliases.length === 1 && aliases[0]?.version === 1 && aliases[0].previousVersion === null,
    `${name}: production moved more than once`,
  );
  check(
    runs.length === 2 && runs.every((other) => other.status === 'succeeded'),
    `${name}: runs ${JSON.stringify(runs)}`,
  );
  const rejections = await list(`api/v1/datasets/${dataset}/rejections`);
  check(rejections.length === 0, `${name}: the file was rejected`);
  const [newest] = models;
  const [data] = versions;
  if (!newest || !data) throw new Error(`${name}: no model or no dataset version`);
  return { model: newest, dataSha256: data.sha256 };
}

function check(ok: boolean, failure: string): void {
  if (ok) passed += 1;
  else failures.push(failure);
}

/** A small reproducible generator (the constants are Numerical Recipes'). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
