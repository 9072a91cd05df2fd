import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startAzurite } from '../local/azurite.ts';
import { buildFunctionTable } from '../local/worker/function-table.ts';
import { registerFunctions } from '../local/worker/load.ts';

/**
 * `npm run start:func`: runs the same build under Microsoft's host (Azure Functions Core Tools) with Azurite.
 */
const help = `Azure Functions Core Tools 4 ("func") are not installed.

  macOS     brew tap azure/functions && brew install azure-functions-core-tools@4
  Windows   winget install Microsoft.Azure.FunctionsCoreTools
  Linux     https://learn.microsoft.com/azure/azure-functions/functions-run-local
  npm       npm install -g azure-functions-core-tools@4 --unsafe-perm true

At their first start, Core Tools download the extension bundle.

The platform runs without them: "npm start" hosts the same build.
`;

const version = spawnSync('func', ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' });
if (version.status !== 0 || !version.stdout.startsWith('4.')) {
  process.stderr.write(version.status === 0 ? `func is version ${version.stdout.trim()}.\n${help}` : help);
  process.exit(1);
}

const root = join(import.meta.dirname, '..');
const dataDir = join(root, '.slipway', 'func');
mkdirSync(dataDir, { recursive: true });
const azurite = await startAzurite({ dataDir: join(dataDir, 'azurite') });
const defaults = {
  FUNCTIONS_WORKER_RUNTIME: 'node',
  AzureWebJobsStorage: azurite.connectionString,
  SLIPWAY_METADATA_FILE: join(dataDir, 'metadata.db'),
  SLIPWAY_QUEUE_FILE: join(dataDir, 'queue.db'),
  TASK_HUB_NAME: 'SlipwayFunc',
  SLIPWAY_AUTH: 'off',
};
const env: NodeJS.ProcessEnv = { ...defaults, ...process.env };
const child = spawn('func', ['start', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: { ...(await disableQueueFunctions()), ...env },
});
// Ctrl+C also reaches func: wait for it, then stop Azurite.
process.on('SIGINT', () => {});
const [code] = (await once(child, 'exit')) as [number | null];
await azurite.stop();
process.exit(code ?? 1);

/** Disables queue functions without a Service Bus namespace, because Core Tools cannot read the embedded queue. */
async function disableQueueFunctions(): Promise<Readonly<Record<string, string>>> {
  if (env['ServiceBus__fullyQualifiedNamespace'] || env['ServiceBus']) return {};
  Object.assign(process.env, env);
  const table = buildFunctionTable(await registerFunctions(root, () => {}));
  const names = table.filter(({ trigger }) => trigger.type === 'serviceBusTrigger').map(({ name }) => name);
  process.stdout.write(`No Service Bus namespace is set: ${names.join(', ')} are disabled.\n`);
  return Object.fromEntries(names.map((name) => [`AzureWebJobs.${name}.Disabled`, 'true']));
}
