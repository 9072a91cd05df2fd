import { test } from 'vitest';
import { modelVersionEndpoints } from '../../../shared/api/mlflow/endpoints/model-versions.ts';
import { registeredModelEndpoints } from '../../../shared/api/mlflow/endpoints/registered-models.ts';
import { registryScript } from '../../golden/mlflow/registry-script.ts';
import { expectRecorded, type Recorded } from '../../support/mlflow/golden.ts';
import { openWire } from '../../support/mlflow/wire.ts';
import { createRegistration, createRegistry } from '../../support/tracking/registry.ts';
import { createDocuments, createTickingClock } from '../../support/stores.ts';

const hosts = 'ours checks the path, as 2.x does, and not the host, because nothing is fetched from it';

/** Steps with an intended difference, and its reason. */
const differences: Readonly<Record<string, string>> = {
  'POST mlflow/model-versions/create {"name":"renamed","source":"http://host:9000/models/../../../"}': hosts,
  'POST mlflow/model-versions/create {"name":"renamed","source":"mlflow-artifacts://host:9000/models/..%2f..%2fartifacts"}':
    hosts,
  'POST mlflow/model-versions/create {"name":"renamed","source":"mlflow-artifacts://host:9000/models/%252e%252e/x"}':
    hosts,
  [`GET mlflow/registered-models/search {"filter":"name ILIKE '%ÜMLAUT%'"}`]:
    'ours ignores case beyond ASCII, too',
};

test('models, versions, aliases and stages answer as mlflow 3.17.2 does', async () => {
  const registry = createRegistry(createDocuments(), { clock: createTickingClock() });
  const send = openWire([
    ...registeredModelEndpoints(registry),
    ...modelVersionEndpoints(registry, createRegistration(registry)),
  ]);
  await expectRecorded(send, {
    name: 'registry',
    script: registryScript,
    differences,
    titleOf: ({ method, path, body, query }) =>
      `${method} ${path} ${JSON.stringify(body ?? query).slice(0, 200)}`,
    summarise,
  });
});

function summarise(path: string, { status, json }: Pick<Recorded, 'status' | 'json'>): unknown {
  const isList = path.endsWith('get-latest-versions');
  if (status === 200) return { status, json: tidy(json, isList ? 'latest' : '') };
  return { status, code: json.error_code, stem: stemOf(json.message) };
}

/** Messages have our own wording, except for the parts that clients look for. */
function stemOf(message = ''): string | undefined {
  return stems.map((stem) => stem.exec(message)?.[0]).find((found) => found !== undefined);
}

const stems = [
  /^Invalid value .* for parameter '[^']*' supplied/,
  /^Missing value for required parameter '[^']*'/,
  /^Registered Model with name=.* not found/,
  /^Model Version \(name=.*, version=.*\) not found/,
  /^Registered model alias .* not found/,
  /^(?:Registered Model|Prompt) \(name=.*\) already exists/,
  /^Parameter '.*' must be an integer, got '.*'/,
  /^Invalid model version source: '[^']*'/,
  /^Invalid Model Version stage: \w+/,
  /^Invalid alias name: '[^']*'/,
  /.*alias name.* is reserved/,
];

/**
 * Only our answers name the user who registered a version, and the aliases of versions in lists. The newest versions of
 * the stages have no order, nor do aliases.
 */
function tidy(json: unknown, where: string): unknown {
  if (Array.isArray(json)) {
    const items = json.map((item) => tidy(item, where));
    return ['latest', 'latest_versions', 'aliases'].includes(where)
      ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items;
  }
  if (json === null || typeof json !== 'object') return json;
  const isListed = ['latest_versions', 'model_versions'].includes(where);
  const members = Object.entries(json).filter(
    ([key]) => key !== 'user_id' && !(isListed && key === 'aliases'),
  );
  return Object.fromEntries(
    members.map(([key, member]) => [key, tidy(member, where === 'latest' ? where : key)]),
  );
}
