import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PlatformProcess } from '../../local/platform-process.ts';
import { writeMonth } from './data.ts';
import {
  ask,
  dataset,
  declarePipeline,
  followRun,
  model,
  newestModel,
  pipeline,
  type RunView,
} from './loop.ts';

/**
 * The main loop on real data: drops January's flights into the landing container, follows the triggers from there, and
 * requests a score from the resulting model over HTTP.
 */
const { values: flags } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
    'data-dir': { type: 'string', default: '.slipway/demo' },
  },
});

interface DatasetVersion {
  readonly version: number;
  readonly rows: number;
  readonly sha256: string;
}

const timeoutMs = 180_000;
const startedAt = performance.now();
const say = (text: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);

const scratch = await mkdtemp(join(tmpdir(), 'slipway-demo-'));
let platform: PlatformProcess | undefined;
try {
  platform = await run(scratch);
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  console.error(`\nThe demo failed: ${reason}`);
  if (flags.json) console.log(JSON.stringify({ error: reason }));
  process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}
if (platform && !flags.once) await stayUp(platform);

async function run(folder: string): Promise<PlatformProcess | undefined> {
  const file = join(folder, '2001-01.parquet');
  say('starting the platform (local host, embedded storage)');
  const started = await PlatformProcess.start({
    port: Number(flags.port),
    dataDir: resolve(flags['data-dir']),
    clean: true,
  });
  try {
    say(`up at ${started.url}`);
    await writeMonth(1, file);
    await declarePipeline(started);
    say(`pipeline "${pipeline}" declared: every new version of "${dataset}" trains and deploys "${model}"`);

    const droppedAt = performance.now();
    await started.upload('landing', `${dataset}/2001-01.parquet`, file);
    say(`dropped landing/${dataset}/2001-01.parquet; triggers do the rest`);
    await follow(started, 'ingest');
    const trained = await follow(started, pipeline);
    const score = await ask(started);
    const seconds = (performance.now() - droppedAt) / 1000;
    say(`scored over HTTP ${seconds.toFixed(1)} s after the drop`);

    await report(started, trained, score, seconds);
    if (!flags.once) return started;
    await started.stop();
    return undefined;
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function follow(started: PlatformProcess, name: string): Promise<RunView> {
  const reported = new Set<string>();
  const report = (key: string, text: string) => {
    if (reported.has(key)) return;
    reported.add(key);
    say(text);
  };
  const ended = await followRun(started, name, {
    timeoutMs,
    onChange: (run) => {
      report('run', `${name}: run ${run.runId}`);
      for (const { step, status, progress, startedAt: from, endedAt: to } of run.steps) {
        if (progress && status === 'running')
          report(`${step} ${progress.message}`, `  ${step}: ${progress.message}`);
        if (status === 'succeeded')
          report(`${step} done`, `  ${step}: done in ${(((to ?? 0) - (from ?? 0)) / 1000).toFixed(1)} s`);
      }
    },
  });
  if (ended.status !== 'succeeded') {
    throw new Error(`${name} ${ended.status}: ${ended.error?.step ?? ''} ${ended.error?.message ?? ''}`);
  }
  return ended;
}

async function report(
  started: PlatformProcess,
  trained: RunView,
  score: Awaited<ReturnType<typeof ask>>,
  dropToScoreSeconds: number,
): Promise<void> {
  const { items } = await started.call<{ items: DatasetVersion[] }>(
    'GET',
    `api/v1/datasets/${dataset}/versions?limit=1`,
  );
  const data = items[0];
  const version = await newestModel(started);
  const prediction = score.predictions[0];
  if (!data || !prediction) throw new Error('The platform returned no dataset version or no prediction.');
  const auc = version.metrics['aucScore'];
  const { url } = started;
  const rows: [string, string, string][] = [
    [
      'dataset',
      `${dataset} v${data.version}: ${data.rows} rows, sha256 ${data.sha256.slice(0, 12)}…`,
      `${url}/api/v1/datasets/${dataset}/versions`,
    ],
    ['pipeline', `${trained.runId}: ${trained.status}`, `${url}/api/v1/runs/${trained.runId}`],
    [
      'model',
      `${model} v${version.version}: AUC ${auc?.toFixed(4)} on held-out rows`,
      `${url}/api/v1/models/${model}/versions`,
    ],
    [
      'score',
      `P(15 min late) = ${prediction.probability.toFixed(3)} in ${score.latencyMs} ms`,
      `${url}/api/v1/models/${model}/score`,
    ],
    ['docs', 'all routes', `${url}/docs`],
  ];
  console.log(
    `\n${rows.map(([name, what, link]) => `  ${name.padEnd(9)} ${what}\n${' '.repeat(12)}${link}`).join('\n')}\n`,
  );
  if (!flags.json) return;
  console.log(
    JSON.stringify({
      dataset: { name: dataset, version: data.version, rows: data.rows, sha256: data.sha256 },
      pipeline: { runId: trained.runId, status: trained.status },
      model: { name: model, version: version.version, sha256: version.sha256, auc },
      score: { probability: prediction.probability, latencyMs: score.latencyMs },
      dropToScoreSeconds: Math.round(dropToScoreSeconds * 10) / 10,
    }),
  );
}

async function stayUp(running: PlatformProcess): Promise<void> {
  console.log('Try it:\n');
  console.log(`  curl -s ${running.url}/api/v1/models/${model}/score -H 'content-type: application/json' \\`);
  console.log(
    `    -d '{"rows":[{"date":"2001-07-04T08:00:00Z","distance":1846,"origin":"ORD","destination":"SFO"}]}'\n`,
  );
  console.log('The platform keeps running. Press Ctrl+C to stop it.');
  const stop = () => void running.stop().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
