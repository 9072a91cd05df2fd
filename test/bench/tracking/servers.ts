import { join } from 'node:path';
import { PlatformProcess } from '../../../local/platform-process.ts';
import { prepareEnvironment } from '../../../scripts/python-environment.ts';
import { launch, runPython, type TrackingServer } from './launch.ts';
import { fillDocuments } from './runs.ts';

const here = import.meta.dirname;

/** The servers to compare, each with the same runs in one experiment. */
export const servers = {
  platform: startPlatform,
  mlflow: startMlflow,
  fasttrackml: startFastTrackMl,
} as const;

async function startPlatform({ folder, runCount }: Seed): Promise<TrackingServer> {
  const dataDir = join(folder, 'platform');
  const empty = await PlatformProcess.start({ port: 0, dataDir });
  const experimentId = await createExperiment({ url: empty.url, stop: () => empty.stop() });
  await fillDocuments(join(dataDir, 'metadata.db'), experimentId, runCount);
  const platform = await PlatformProcess.start({ port: 0, dataDir });
  return { url: platform.url, experimentId, pid: platform.pid, stop: () => platform.stop() };
}

/** `mlflow server` with its defaults, on SQLite. */
async function startMlflow({ folder, runsFile }: Seed): Promise<TrackingServer> {
  const python = prepareEnvironment('test/clients/mlflow3');
  const database = join(folder, 'mlflow.db');
  const artifacts = join(folder, 'mlflow-artifacts');
  const experimentId = runPython(python, [join(here, 'fill-mlflow.py'), database, artifacts, runsFile]);
  const flags = ['--backend-store-uri', `sqlite:///${database}`, '--artifacts-destination', artifacts];
  const server = await launch({
    command: python,
    args: (port) => ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), ...flags],
    folder,
  });
  return { ...server, experimentId };
}

/** `fml server` with its defaults, on SQLite. */
async function startFastTrackMl({ folder, runsFile }: Seed): Promise<TrackingServer> {
  const python = prepareEnvironment('test/bench/tracking');
  const database = join(folder, 'fasttrackml.db');
  const start = () =>
    launch({
      command: join(python, '../fml'),
      args: (port) => ['server', '-a', `127.0.0.1:${port}`, '-d', `sqlite://${database}`, '-l', 'error'],
      folder,
    });
  const empty = await start();
  const experimentId = await createExperiment(empty);
  runPython(python, [join(here, 'fill-fasttrackml.py'), database, experimentId, runsFile]);
  return { ...(await start()), experimentId };
}

/** Where to keep files, and the runs to start with. */
export interface Seed {
  readonly folder: string;
  readonly runCount: number;
  /** The same runs, one JSON object per line. */
  readonly runsFile: string;
}

/** Creates the experiment on an empty server, then stops it. @returns the id */
async function createExperiment({ url, stop }: Pick<TrackingServer, 'url' | 'stop'>): Promise<string> {
  try {
    const path = 'api/2.0/mlflow/experiments/create';
    const response = await fetch(`${url}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'filled' }),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return ((await response.json()) as { readonly experiment_id: string }).experiment_id;
  } finally {
    await stop();
  }
}
