import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkBindings } from '../../local/extensions.ts';
import { readHostJson } from '../../local/settings/host-json.ts';
import { createRouter } from '../../local/http/router.ts';
import {
  buildFunctionTable,
  renderFunctionTable,
  type FunctionEntry,
} from '../../local/worker/function-table.ts';
import { registerFunctions } from '../../local/worker/load.ts';
import { fixtureAppDir } from '../support/host/fixture-host.ts';

const repository = join(import.meta.dirname, '../..');
const golden = join(import.meta.dirname, '../golden');
const isBuilt =
  existsSync(join(repository, 'dist/functions')) &&
  readdirSync(join(repository, 'dist/functions')).length > 0;

const dataDir = await mkdtemp(join(tmpdir(), 'slipway-table-'));
afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** Settings that let the platform's functions load; nothing is called. */
const settings = {
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  SLIPWAY_METADATA_FILE: join(dataDir, 'metadata.db'),
  SLIPWAY_QUEUE_FILE: join(dataDir, 'host.db'),
  SLIPWAY_AUTH: 'off',
  TASK_HUB_NAME: 'Table',
  FIXTURE_LOG: join(dataDir, 'log'),
  FIXTURE_CONTAINER: 'watched',
  FIXTURE_SCHEDULE: '0 0 * * * *',
};
Object.assign(process.env, settings);

const readTable = async (appDir: string): Promise<readonly FunctionEntry[]> =>
  buildFunctionTable(await registerFunctions(appDir, () => {}));

describe('the table of the fixture app', () => {
  test('names, triggers, bindings, routes, auth levels and outputs match the golden file', async () => {
    await expect(renderFunctionTable(await readTable(fixtureAppDir))).toMatchFileSnapshot(
      join(golden, 'host/fixture-function-table.json'),
    );
  });

  test('unsupported bindings are named', async () => {
    const table = await readTable(fixtureAppDir);
    const entry = (name: string): FunctionEntry => table.find((fn) => fn.name === name)!;
    const changed = (name: string, trigger: object): readonly string[] => {
      const fn = entry(name);
      return checkBindings([{ ...fn, trigger: { ...fn.trigger, ...trigger } }], settings);
    };
    expect(checkBindings(table, settings)).toEqual([]);
    expect(changed('single', { type: 'kafkaTrigger' })).toEqual([
      'single: the trigger type "kafkaTrigger" is not emulated',
    ]);
    expect(changed('single', { isSessionsEnabled: true })).toEqual(['single: sessions are not emulated']);
    expect(changed('single', { queueName: '%NOT_SET%' })[0]).toContain('"NOT_SET" is not set');
    expect(changed('blob', { source: 'EventGrid' })[0]).toContain('polls');
    expect(changed('blob', { path: '{container}/x' })[0]).toContain('must not be a parameter');
    expect(changed('blob', { path: 'UPPER/{x}' })[0]).toContain('not a valid container name');
    expect(changed('blob', { connection: 'Other' })[0]).toContain('"Other" is not set');
    expect(changed('hourly', { schedule: 'soon' })[0]).toContain('NCRONTAB');
    expect(changed('echo', { authLevel: 'secret' })[0]).toContain('authLevel');
    const inputs = [{ name: 'i', type: 'cosmosDB', direction: 'in' }] as const;
    const outputs = [{ name: 'o', type: 'eventHub', direction: 'out' }] as const;
    expect(checkBindings([{ ...entry('single'), inputs, outputs }], settings)).toEqual([
      'single: the input type "cosmosDB" is not emulated',
      'single: the output type "eventHub" is not emulated',
    ]);
  });
});

describe.skipIf(!isBuilt)('the platform itself (skipped when dist/functions is not built)', () => {
  test('its table matches the golden file; update it with `npm run golden:update`', async () => {
    const table = await readTable(repository);
    await expect(renderFunctionTable(table)).toMatchFileSnapshot(join(golden, 'function-table.json'));
  });

  test('every binding can be hosted, every HTTP function states its auth level, and no routes overlap', async () => {
    const table = await readTable(repository);
    expect(checkBindings(table, settings)).toEqual([]);
    const http = table.filter(({ trigger }) => trigger.type === 'httpTrigger');
    expect(http.filter(({ trigger }) => trigger['authLevel'] === undefined)).toEqual([]);
    const { routePrefix } = readHostJson(repository, settings);
    const routes = http.map(({ name, trigger }) => ({
      name,
      template: String(trigger['route']),
      methods: trigger['methods'] as string[],
      target: name,
    }));
    expect(createRouter(routePrefix, routes)).toBeDefined();
  });

  /** All other code starts runs through the queue, so that a recorded run starts after any crash. */
  test('one function has the Durable client', async () => {
    const owners = (await readTable(repository)).filter(({ inputs }) =>
      inputs.some(({ type }) => type === 'durableClient'),
    );
    expect(owners.map(({ name }) => name)).toEqual(['pipelinesRun']);
  });

  /** On Linux, Azure refuses settings such as `AzureWebJobs.a-b.Disabled`; orchestrators' names live in history. */
  test('functions that HTTP does not trigger have camelCase names', async () => {
    const others = (await readTable(repository)).filter(({ trigger }) => trigger.type !== 'httpTrigger');
    expect(others.length).toBeGreaterThan(10);
    expect(others.map(({ name }) => name).filter((name) => !/^[a-z][A-Za-z0-9]*$/.test(name))).toEqual([]);
  });
});
