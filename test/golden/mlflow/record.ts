/**
 * Records what a real tracking server answers to `tracking-script.ts`:
 *
 *     mlflow server --backend-store-uri sqlite:////tmp/new.db --default-artifact-root mlflow-artifacts:/ \
 *       --artifacts-destination /tmp/new --port 5005
 *     node test/golden/mlflow/record.ts http://127.0.0.1:5005
 *
 * The answers in `tracking.json` are those of mlflow 3.17.2 on an empty database.
 */
import { writeFileSync } from 'node:fs';
import { runScript } from '../../support/mlflow-script.ts';
import { trackingScript } from './tracking-script.ts';

const [url] = process.argv.slice(2);
const results = await runScript(trackingScript, async (method, path, body) => {
  const response = await fetch(`${url}/api/2.0/${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, json: await response.json() };
});
const lines = results.map(({ request, answer }) => JSON.stringify({ path: request.path, ...answer }));
writeFileSync(new URL('tracking.json', import.meta.url), `[\n${lines.join(',\n')}\n]\n`);
