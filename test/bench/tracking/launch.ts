import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A tracking server with an experiment full of runs. */
export interface TrackingServer {
  readonly url: string;
  readonly experimentId: string;
  /** The process; it may have children. */
  readonly pid: number;
  stop(): Promise<void>;
}

interface Launch {
  readonly command: string;
  readonly args: (port: number) => readonly string[];
  readonly folder: string;
}

/** Variables that stop peers from reporting their use. */
export const noTelemetry = { MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' };

/** Starts a server on a free port. @throws Error when it does not answer `/health` within two minutes */
export async function launch({
  command,
  args,
  folder,
}: Launch): Promise<Omit<TrackingServer, 'experimentId'>> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { ...process.env, ...noTelemetry };
  const server = spawn(command, args(port), { env, cwd: folder, stdio: 'ignore' });
  const stop = () => stopAll(server);
  try {
    await waitUntilHealthy(url, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: server.pid!, stop };
}

/** Runs a Python script that fills a database. @returns its last line. @throws Error with what it printed */
export function runPython(python: string, args: readonly string[]): string {
  const env = { ...process.env, ...noTelemetry };
  const filled = spawnSync(python, args, { env, encoding: 'utf8' });
  if (filled.status !== 0) throw new Error(`Could not fill the database: ${filled.stderr}`);
  return filled.stdout.trim().split('\n').at(-1)!;
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
  throw new Error(`${server.spawnfile} did not start`);
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
      // It ended with its parent.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Resident memory of a process and its descendants, in MB. Shared pages count once per process. */
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
