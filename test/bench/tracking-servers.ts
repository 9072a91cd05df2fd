import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformProcess } from '../../local/platform-process.ts';
import { fillDocuments } from './tracking-runs.ts';

/** A tracking server that has an experiment full of runs. */
export interface TrackingServer {
  readonly url: string;
  readonly experimentId: string;
  /** The process and all that it started. */
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startPlatform(folder: string, runs: number): Promise<TrackingServer> {
  const dataDir = join(folder, 'platform');
  const empty = await PlatformProcess.start({ port: 0, dataDir });
  const experimentId = await createExperiment(empty);
  await fillDocuments(join(dataDir, 'metadata.db'), experimentId, runs);
  const platform = await PlatformProcess.start({ port: 0, dataDir });
  return { url: platform.url, experimentId, pid: platform.pid, stop: () => platform.stop() };
}

async function createExperiment(platform: PlatformProcess): Promise<string> {
  try {
    const path = 'api/2.0/mlflow/experiments/create';
    const made = await platform.call<{ experiment_id: string }>('POST', path, { name: 'filled' });
    return made.experiment_id;
  } finally {
    await platform.stop();
  }
}

/** `mlflow server` as it comes, on SQLite. @throws Error when it does not answer within two minutes */
export async function startMlflow(python: string, folder: string, runsFile: string): Promise<TrackingServer> {
  const database = join(folder, 'mlflow.db');
  const artifacts = join(folder, 'mlflow-artifacts');
  const env = { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' };
  const fill = join(import.meta.dirname, 'tracking/fill.py');
  const filled = spawnSync(python, [fill, database, artifacts, runsFile], { env, encoding: 'utf8' });
  if (filled.status !== 0) throw new Error(`MLflow's database could not be filled: ${filled.stderr}`);
  const experimentId = filled.stdout.trim().split('\n').at(-1)!;
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const flags = ['--backend-store-uri', `sqlite:///${database}`, '--artifacts-destination', artifacts];
  const server = spawn(
    python,
    ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), ...flags],
    { env, cwd: folder, stdio: 'ignore' },
  );
  const stop = () => stopAll(server);
  try {
    await waitUntilHealthy(url, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, experimentId, pid: server.pid!, stop };
}

async function waitUntilHealthy(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline && server.exitCode === null) {
    const isHealthy = await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (isHealthy) return;
    await sleep(100);
  }
  throw new Error('mlflow server did not start');
}

async function stopAll(server: ChildProcess): Promise<void> {
  const started = listProcesses(server.pid!).filter(({ pid }) => pid !== server.pid);
  if (server.exitCode === null && server.signalCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await Promise.race([ended, sleep(5_000, undefined, { ref: false })]);
    if (server.exitCode === null && server.signalCode === null) server.kill('SIGKILL');
    await ended;
  }
  for (const { pid } of started) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // Gone with its parent.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Resident memory of a process and of all that it started, in MB. Pages that they share count for each. */
export function measureMemory(pid: number): number {
  return listProcesses(pid).reduce((sum, { residentKb }) => sum + residentKb, 0) / 1_000;
}

function listProcesses(root: number): readonly { readonly pid: number; readonly residentKb: number }[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number, number]);
  const found = new Set([root]);
  for (const parent of found) for (const [pid, ppid] of table) if (ppid === parent) found.add(pid);
  return table.filter(([pid]) => found.has(pid)).map(([pid, , residentKb]) => ({ pid, residentKb }));
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
