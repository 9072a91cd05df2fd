import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PlatformProcess } from '../../local/platform-process.ts';
import { hangGuardMs, patienceMs } from '../support/hang-guard.ts';
import { insist, type Ledger, logUntil, type Moving } from '../support/mlflow/crash-client.ts';
import { until } from '../support/until.ts';
import { createFolder } from '../support/stores.ts';

const wantedKills = Number(process.env['SLIPWAY_TEST_KILLS'] ?? 8);
const seed = Number(process.env['SLIPWAY_TEST_SEED'] ?? 1);
const clients = 3;

test(
  `${wantedKills} SIGKILLs while ${clients} clients log: every acknowledged write is stored exactly once`,
  async () => {
    const dataDir = join(createFolder(), 'data');
    const start = () => PlatformProcess.start({ port: 0, dataDir, timeoutMs: patienceMs });
    const moving: Moving = { platform: await start(), answered: 0 };
    onTestFinished(() => moving.platform.stop());
    let isOver = false;
    const clientsDone = Promise.all(
      Array.from({ length: clients }, (_, client) =>
        logUntil(moving, client, createRandom(seed * 100 + client), () => isOver),
      ),
    );
    const failed = clientsDone.then(() => false);
    const random = createRandom(seed);
    for (let kill = 0; kill < wantedKills; kill += 1) {
      const enough = moving.answered + 1 + Math.floor(random() * 100);
      await Promise.race([until(() => moving.answered >= enough), failed]);
      await moving.platform.kill();
      moving.platform = await start();
    }
    isOver = true;
    const ledgers = await clientsDone;
    for (const [client, ledger] of ledgers.entries()) await check(moving, client, ledger);
    const sum = (count: (ledger: Ledger) => number) =>
      ledgers.reduce((total, ledger) => total + count(ledger), 0);
    console.log(
      `${wantedKills} kills, seed ${seed}: ${sum(({ params }) => params.size)} params, ` +
        `${sum(({ points }) => [...points.values()].flat().length)} points, ` +
        `${sum(({ versions }) => versions.length)} versions and moves, ${sum(({ retries }) => retries)} retries`,
    );
    expect(sum(({ retries }) => retries)).toBeGreaterThan(0);
  },
  hangGuardMs * Math.max(1, wantedKills / 50),
);

async function check(moving: Moving, client: number, ledger: Ledger): Promise<void> {
  const { runId } = ledger;
  const get = (path: string) => insist(moving, 'GET', path, undefined);
  const { run } = (await get(`api/2.0/mlflow/runs/get?run_id=${runId}`)) as {
    run: { data: Record<'params' | 'tags' | 'metrics', { key: string; value: string }[]> };
  };
  const toMap = (items: readonly { key: string; value: string }[] = []) =>
    new Map(items.map(({ key, value }) => [key, value]));
  expect(toMap(run.data.params)).toEqual(ledger.params);
  const tags = toMap(run.data.tags);
  tags.delete('mlflow.runName');
  expect(tags).toEqual(ledger.tags);

  for (const [key, points] of ledger.points) {
    const { metrics } = (await get(
      `api/2.0/mlflow/metrics/get-history?run_id=${runId}&metric_key=${key}`,
    )) as { metrics: { timestamp: number; step: number; value: number }[] };
    const found = metrics.map(({ timestamp, step, value }) => `${timestamp} ${step} ${value}`);
    expect(found, `points of ${key}`).toEqual(points);
    const latest = run.data.metrics.find((metric) => metric.key === key);
    expect(String(latest?.value)).toBe(points.at(-1)?.split(' ')[2]);
  }

  for (const [path, hash] of ledger.artifacts) {
    const response = await fetch(`${moving.platform.url}/api/2.0/mlflow-artifacts/artifacts/${path}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect([response.status, createHash('sha256').update(bytes).digest('hex')], path).toEqual([200, hash]);
  }
  const [first = ''] = ledger.artifacts.keys();
  const folder = first.slice(0, first.lastIndexOf('/'));
  const { files } = (await get(`api/2.0/mlflow-artifacts/artifacts?path=${folder}`)) as {
    files: { path: string }[];
  };
  expect(files.map(({ path }) => `${folder}/${path}`).sort()).toEqual([...ledger.artifacts.keys()].sort());

  await checkRegistry(moving, `model-${client}`, ledger);
}

async function checkRegistry(moving: Moving, model: string, ledger: Ledger): Promise<void> {
  const get = (path: string) => insist(moving, 'GET', path, undefined);
  const filter = encodeURIComponent(`name = '${model}'`);
  const { model_versions } = (await get(
    `api/2.0/mlflow/model-versions/search?max_results=10000&filter=${filter}`,
  )) as { model_versions: { version: string; source: string }[] };
  const numbers = model_versions.map(({ version }) => Number(version)).sort((a, b) => a - b);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  const sourceOf = new Map(model_versions.map(({ version, source }) => [version, source]));
  for (const { number, source } of ledger.versions) expect(sourceOf.get(number)).toBe(source);
  // MLflow's API has no idempotency keys: a repeated request may create a second version, but never more.
  for (const { source, attempts } of ledger.versions)
    expect(model_versions.filter((version) => version.source === source).length).toBeLessThanOrEqual(
      attempts,
    );
  expect(new Set(sourceOf.values())).toEqual(new Set(ledger.versions.map(({ source }) => source)));

  const events = await listEvents(moving, model);
  const moves = events.filter(({ action }) => action === 'alias.moved').reverse();
  expect(moves.map(({ after }) => String(after?.version))).toEqual(ledger.moves);
  expect(moves.map(({ before }) => before?.version)).toEqual([
    undefined,
    ...ledger.moves.slice(0, -1).map(Number),
  ]);
  const { model_version } = (await get(
    `api/2.0/mlflow/registered-models/alias?name=${model}&alias=live`,
  )) as { model_version: { version: string } };
  expect(model_version.version).toBe(ledger.moves.at(-1));
  const created = events.filter(({ subject }) => subject.kind === 'modelVersion');
  expect(created.map(({ subject }) => subject.version).sort((a, b) => a! - b!)).toEqual(numbers);
}

interface Event {
  readonly action: string;
  readonly subject: { readonly kind: string; readonly version?: number };
  readonly before: { readonly version?: number } | null;
  readonly after: { readonly version?: number } | null;
}

async function listEvents(moving: Moving, model: string): Promise<readonly Event[]> {
  const events: Event[] = [];
  let cursor = '';
  do {
    const page = (await insist(
      moving,
      'GET',
      `api/v1/audit?limit=100&model=${model}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      undefined,
    )) as { items: Event[]; cursor?: string };
    events.push(...page.items);
    cursor = page.cursor ?? '';
  } while (cursor !== '');
  return events;
}

/** A small reproducible generator (the constants are Numerical Recipes'). */
function createRandom(of: number): () => number {
  let state = of >>> 0;
  return () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
