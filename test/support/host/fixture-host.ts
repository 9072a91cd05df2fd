import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger, LogLevel } from '../../../shared/core/logger.ts';
import { startHost, type HostOptions, type RunningHost } from '../../../local/host.ts';
import { startAzurite } from '../../../local/azurite.ts';
import { until } from '../until.ts';

export const fixtureAppDir = join(import.meta.dirname, 'fixture-app');
export const streamingAppDir = join(import.meta.dirname, 'fixture-streaming');

/** A line that a fixture function recorded. */
interface Recorded {
  readonly name: string;
  readonly [fact: string]: unknown;
}

export interface FixtureFolder {
  readonly dataDir: string;
  readonly logFile: string;
  readonly settings: Readonly<Record<string, string>>;
  /** All records so far, or those of one function. */
  readonly recorded: (name?: string) => readonly Recorded[];
  /** Waits for `count` records of a function. */
  readonly waitFor: (name: string, count: number) => Promise<readonly Recorded[]>;
  remove(): Promise<void>;
}

/** Creates a temporary data folder and the settings of the fixture app. */
export async function makeFixtureFolder(
  settings: Readonly<Record<string, string>> = {},
): Promise<FixtureFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-host-'));
  const logFile = join(folder, 'recorded.jsonl');
  const recorded = (name?: string): readonly Recorded[] => {
    if (!existsSync(logFile)) return [];
    const lines = readFileSync(logFile, 'utf8').split('\n').filter(Boolean);
    const all = lines.map((line) => JSON.parse(line) as Recorded);
    return name === undefined ? all : all.filter((entry) => entry.name === name);
  };
  return {
    dataDir: join(folder, 'data'),
    logFile,
    settings: {
      FIXTURE_LOG: logFile,
      FIXTURE_HUB: 'FixtureHub',
      FIXTURE_CONTAINER: 'watched',
      FIXTURE_SCHEDULE: '0 0 * * * *',
      FIXTURE_HOLD: join(folder, 'hold'),
      ...settings,
    },
    recorded,
    async waitFor(name, count) {
      await until(
        () => recorded(name).length >= count,
        () => `${name}: ${recorded(name).length} of ${count} calls`,
      );
      return recorded(name);
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

export interface FixtureHost extends RunningHost, Pick<FixtureFolder, 'recorded' | 'waitFor'> {
  readonly folder: FixtureFolder;
  readonly connectionString: string;
  readonly logged: readonly {
    readonly level: LogLevel;
    readonly message: string;
    readonly fields?: object;
  }[];
  /** Stops the host and starts another on the same data and storage. */
  restart(options?: Partial<HostOptions>): Promise<FixtureHost>;
}

/** Starts a host on the fixture app with its own Azurite. */
export async function startFixtureHost(
  options: Partial<HostOptions> & { readonly extraSettings?: Readonly<Record<string, string>> } = {},
): Promise<FixtureHost> {
  const folder = await makeFixtureFolder(options.extraSettings);
  const azurite = await startAzurite({ dataDir: join(folder.dataDir, 'azurite') });
  const settings = { ...folder.settings, AzureWebJobsStorage: azurite.connectionString };

  async function start(changes: Partial<HostOptions>): Promise<FixtureHost> {
    const logged: { level: LogLevel; message: string; fields?: object }[] = [];
    const log: Logger = {
      log: (level, message, fields = {}) => void logged.push({ level, message, fields }),
    };
    const { extraSettings: _, ...given } = options;
    const host = await startHost({
      appDir: fixtureAppDir,
      dataDir: folder.dataDir,
      port: 0,
      settings,
      log,
      ...given,
      ...changes,
      tuning: { blobPollMs: 50, ...given.tuning, ...changes.tuning },
    });
    return {
      ...host,
      folder,
      logged,
      connectionString: azurite.connectionString,
      recorded: folder.recorded,
      waitFor: folder.waitFor,
      async restart(more = {}) {
        await host.stop();
        return start({ ...changes, ...more });
      },
      async stop() {
        await host.stop();
        await azurite.stop();
        await folder.remove();
      },
    };
  }
  try {
    return await start({});
  } catch (error) {
    await azurite.stop();
    await folder.remove();
    throw error;
  }
}
