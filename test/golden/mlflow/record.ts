/**
 * Records the answers of a real tracking server to one of the scripts beside this, on an empty database:
 *
 *     mlflow server --backend-store-uri sqlite:///new.db --default-artifact-root mlflow-artifacts:/ \
 *       --artifacts-destination ./new --port 5005
 *     node test/golden/mlflow/record.ts http://127.0.0.1:5005 tracking
 *
 * The answers in the JSON files are those of mlflow 3.17.2.
 */
import { writeFileSync } from 'node:fs';
import { runScript } from '../../support/mlflow/script.ts';
import { loggedModelScript } from './logged-models-script.ts';
import { registryScript } from './registry-script.ts';
import { trackingScript } from './tracking-script.ts';

const scripts = new Map([
  ['tracking', trackingScript],
  ['registry', registryScript],
  ['logged-models', loggedModelScript],
]);
const [url, name = ''] = process.argv.slice(2);
const script = scripts.get(name);
if (script === undefined) throw new Error(`say one of ${[...scripts.keys()].join(', ')}`);
const results = await runScript(script, async (method, path, body) => {
  const response = await fetch(`${url}/api/2.0/${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, json: await response.json() };
});
const lines = results.map(({ request, answer }) => JSON.stringify({ path: request.path, ...answer }));
writeFileSync(new URL(`${name}.json`, import.meta.url), `[\n${lines.join(',\n')}\n]\n`);
