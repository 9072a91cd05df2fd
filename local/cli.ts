import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAppError } from '../shared/core/errors.ts';
import { startAzurite, type RunningAzurite } from './azurite.ts';
import { renderBanner } from './cli/banner.ts';
import { parseCliOptions, usage, type CliOptions } from './cli/options.ts';
import { createConsoleLogger } from './cli/console-logger.ts';
import { cleanDataDir, lockDataDir, openWebhookKey } from './data-dir.ts';
import { startHost, type RunningHost } from './host.ts';
import { mergeSettings, readLocalSettings, type AppSettings } from './settings/app-settings.ts';

/** The time limit of a stop, after which the process ends anyway. The next start continues unfinished work. */
const stopMs = 15_000;
/** 100 GiB: artifacts are streamed, and routes that read JSON have lower limits. */
const bodyLimitBytes = String(100 * 2 ** 30);
const log = createConsoleLogger(process.stderr);

async function main(): Promise<void> {
  const options = parseCliOptions(process.argv.slice(2), process.cwd());
  if (options.help) return void process.stdout.write(usage);
  // Azurite must not open storage that another host uses.
  const lock = lockDataDir(options.dataDir);
  try {
    if (options.clean) cleanDataDir(options.dataDir);
  } finally {
    lock.release();
  }
  const azurite = await startAzurite({
    dataDir: join(options.dataDir, 'azurite'),
    onFailure: (error) => log.log('error', error.message),
  });
  let host: RunningHost;
  try {
    const settings = chooseSettings(options, azurite);
    host = await startHost({ ...options, clean: false, settings, log });
    stopOnSignals(host, azurite);
    writeEndpoints(options.dataDir, host, settings['AzureWebJobsStorage'] ?? azurite.connectionString);
    const isOpen = settings['SLIPWAY_AUTH'] === 'off';
    process.stdout.write(renderBanner({ ...host, dataDir: options.dataDir, isOpen }));
  } catch (error) {
    await azurite.stop();
    throw error;
  }
}

/** Merges our defaults, local.settings.json and the environment; later ones override earlier ones. */
function chooseSettings({ appDir, dataDir }: CliOptions, azurite: RunningAzurite): AppSettings {
  const defaults = {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    AzureWebJobsStorage: azurite.connectionString,
    SLIPWAY_METADATA_FILE: join(dataDir, 'metadata.db'),
    SLIPWAY_QUEUE_FILE: join(dataDir, 'host.db'),
    TASK_HUB_NAME: 'SlipwayLocal',
    SLIPWAY_AUTH: 'off',
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: bodyLimitBytes,
    // Webhook receivers under development are on this machine.
    SLIPWAY_WEBHOOK_TARGETS: 'any',
    SLIPWAY_WEBHOOK_KEYS: openWebhookKey(join(dataDir, 'webhook.key')),
  };
  const { AzureWebJobsStorage: storage, ...local } = readLocalSettings(join(appDir, 'local.settings.json'));
  // "UseDevelopmentStorage=true" is meant for Core Tools; our Azurite has its own ports.
  const ownStorage = storage &&
    !/^UseDevelopmentStorage=true/i.test(storage) && { AzureWebJobsStorage: storage };
  return mergeSettings(process.env, defaults, local, ownStorage || {});
}

/** Writes the addresses for programs that start the platform, such as the demo and tests. Atomic. */
function writeEndpoints(dataDir: string, host: RunningHost, blobConnectionString: string): void {
  const file = join(dataDir, 'endpoints.json');
  const endpoints = { url: host.url, blobConnectionString, pid: process.pid };
  writeFileSync(`${file}.new`, `${JSON.stringify(endpoints)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function stopOnSignals(host: RunningHost, azurite: RunningAzurite): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(130);
    isStopping = true;
    process.stderr.write(`\n${signal}: waiting for running calls. Press Ctrl+C again to stop immediately.\n`);
    setTimeout(() => {
      log.log('warn', 'Some calls did not end in time; the next start continues them');
      process.exit(1);
    }, stopMs).unref();
    host
      .stop()
      .then(() => azurite.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function fail(error: unknown): never {
  // An AppError is meant for the user. Any other error is a defect and needs its stack.
  process.stderr.write(
    isAppError(error) ? `${error.message}\n` : `${(error as Error).stack ?? String(error)}\n`,
  );
  process.exit(1);
}

main().catch(fail);
