import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlatformProcess } from '../../local/platform-process.ts';
import { type Figure, checkGoal } from './figure.ts';
import { startBareServer, startSdkServer } from './http-peers.ts';
import { measureRequests } from './load.ts';

const rounds = 5;
const load = { connections: 32, durationMs: 2_000 };

/** The local host: HTTP against bare node:http, durable work items, and the time from a start to an answer. */
export async function* hostBench(): AsyncGenerator<Figure> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    yield* benchHttpAndDurable(join(folder, 'host'));
    yield* benchStart(join(folder, 'start'));
    yield* benchDemo(join(folder, 'demo'));
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function* benchHttpAndDurable(dataDir: string): AsyncGenerator<Figure> {
  const appDir = join(import.meta.dirname, 'apps/host');
  const host = await PlatformProcess.start({ port: 0, dataDir, appDir, readyPath: 'hello' });
  try {
    yield* benchHttp(new URL(`${host.url}/hello`), appDir);
    yield* benchStreaming(new URL(`${host.url}/hello`), `${dataDir}-streaming`);
    yield* benchDurable(host, 'durable-chain-5', 'chain/400/0');
    yield* benchDurable(host, 'durable-fan-out-1000', 'fan-out/1/1000');
  } finally {
    await host.stop();
  }
}

/** Against HTTP alone and the SDK alone; the second shows how much of the difference the host causes. */
async function* benchHttp(hostUrl: URL, appDir: string): AsyncGenerator<Figure> {
  const bare = await startBareServer();
  const sdk = await startSdkServer(appDir);
  try {
    const measured: { own: number; bare: number; sdk: number }[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const rates = {
        bare: await measureRequests(bare.url, load),
        sdk: await measureRequests(sdk.url, load),
        own: await measureRequests(hostUrl, load),
      };
      // The first round is a warm-up.
      if (round > 0) measured.push(rates);
    }
    const own = { bench: 'host', value: median(measured.map((rates) => rates.own)), unit: 'requests/s' };
    const bareRate = median(measured.map((rates) => rates.bare));
    const sdkRate = median(measured.map((rates) => rates.sdk));
    yield checkGoal({ ...own, name: 'http-function', peer: bareRate, goal: 'ratio >= 0.5' });
    yield checkGoal({ ...own, name: 'http-function-beside-sdk', peer: sdkRate, goal: 'ratio >= 0.9' });
  } finally {
    bare.stop();
    sdk.stop();
  }
}

/** The same function in an app that streams, as the platform does: what streaming costs a small request. */
async function* benchStreaming(buffered: URL, dataDir: string): AsyncGenerator<Figure> {
  const appDir = join(import.meta.dirname, 'apps/host-streaming');
  const host = await PlatformProcess.start({ port: 0, dataDir, appDir, readyPath: 'hello' });
  try {
    const measured: { own: number; buffered: number }[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const rates = {
        buffered: await measureRequests(buffered, load),
        own: await measureRequests(new URL(`${host.url}/hello`), load),
      };
      if (round > 0) measured.push(rates);
    }
    yield checkGoal({
      bench: 'host',
      name: 'http-function-streaming',
      value: median(measured.map((rates) => rates.own)),
      peer: median(measured.map((rates) => rates.buffered)),
      unit: 'requests/s',
      goal: 'ratio >= 0.8',
    });
  } finally {
    await host.stop();
  }
}

interface DurableRun {
  readonly milliseconds: number;
  readonly activities: number;
  readonly turns: number;
}

/** A work item is a turn of an orchestrator or an activity, as in the framework. */
async function* benchDurable(host: PlatformProcess, name: string, path: string): AsyncGenerator<Figure> {
  const runs: DurableRun[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const run = await host.call<DurableRun>('GET', `measure/${path}`);
    if (round > 0) runs.push(run);
  }
  const perSecond = (count: (run: DurableRun) => number) =>
    median(runs.map((run) => count(run) / (run.milliseconds / 1000)));
  const goal = 'value >= 1000';
  const workItems = perSecond(({ activities, turns }) => activities + turns);
  const activities = perSecond((run) => run.activities);
  yield checkGoal({ bench: 'host', name, value: workItems, unit: 'work items/s', goal });
  yield checkGoal({
    bench: 'host',
    name: `${name}-activities`,
    value: activities,
    unit: 'activities/s',
    goal,
  });
}

/** From the start of the process to the first answered request, with existing data. */
async function* benchStart(dataDir: string): AsyncGenerator<Figure> {
  const seconds: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const startedAt = performance.now();
    const platform = await PlatformProcess.start({ port: 0, dataDir });
    if (round > 0) seconds.push((performance.now() - startedAt) / 1000);
    await platform.stop();
  }
  yield checkGoal({
    bench: 'host',
    name: 'start-to-first-answer',
    value: median(seconds),
    unit: 's',
    goal: 'value <= 3',
  });
}

/** From the drop of January's flights to the scored request, as in the demo. */
async function* benchDemo(dataDir: string): AsyncGenerator<Figure> {
  const demo = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../examples/flights/demo.ts'), '--once', '--json', '--data-dir', dataDir],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const output = await Array.fromAsync(demo.stdout, (chunk: Buffer) => chunk.toString('utf8'));
  if (demo.exitCode === null) await once(demo, 'exit');
  const lastLine = output.join('').trimEnd().split('\n').at(-1) ?? '';
  if (demo.exitCode !== 0) throw new Error(`the demo failed: ${lastLine}`);
  const { dropToScoreSeconds } = JSON.parse(lastLine) as { dropToScoreSeconds: number };
  yield checkGoal({
    bench: 'host',
    name: 'demo-drop-to-score',
    value: dropToScoreSeconds,
    unit: 's',
    goal: 'value <= 60',
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
