import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { experimentEndpoints } from '../../../shared/mlflow/endpoints/experiments.ts';
import { metricEndpoints } from '../../../shared/mlflow/endpoints/metrics.ts';
import { runEndpoints } from '../../../shared/mlflow/endpoints/runs.ts';
import { trackingScript } from '../../golden/mlflow/tracking-script.ts';
import { runScript } from '../../support/mlflow-script.ts';
import { openWire } from '../../support/mlflow-wire.ts';
import { createDocuments, createTickingPace } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking.ts';

interface Recorded {
  readonly path: string;
  readonly status: number;
  readonly json: { readonly error_code?: string; readonly message?: string };
}

const file = new URL('../../golden/mlflow/tracking.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as readonly Recorded[];

/** Steps that we answer otherwise, and why. */
const differences: Readonly<Record<string, string>> = {
  'mlflow/experiments/search {"max_results":10,"view_type":"NONE"}':
    'a word that is none of the known is refused',
  'mlflow/experiments/create {"name":"n","tags":[{"key":"","value":""}]}': 'the place is named as well',
  'mlflow/runs/update {"run_id":"$two","status":"SLEEPING"}': 'a word that is none of the known is refused',
};

/** Messages are told in our own words, but for what clients look for in them. */
function stemOf(message = ''): string | undefined {
  return /^(Invalid value .* for parameter '[^']*' supplied|Missing value for required parameter '[^']*')/.exec(
    message,
  )?.[0];
}

test('experiments, runs and metrics answer as mlflow 3.17.2 does', async () => {
  const tracking = openTracking(createDocuments(), { pace: createTickingPace() });
  const send = openWire([
    ...experimentEndpoints(tracking),
    ...runEndpoints(tracking),
    ...metricEndpoints(tracking),
  ]);
  const results = await runScript(trackingScript, send);
  expect(results.map(({ request }) => request.path)).toEqual(golden.map(({ path }) => path));
  results.forEach(({ request, answer }, index) => {
    const { status, json } = golden[index]!;
    const title = `${request.path} ${JSON.stringify(request.body ?? request.query).slice(0, 200)}`;
    if (title in differences) return expect.soft(answer, title).not.toEqual({ status, json });
    const ours = answer.json as Recorded['json'];
    if (status === 200) return expect.soft(answer, title).toEqual({ status, json });
    const told = { status: answer.status, error_code: ours.error_code, stem: stemOf(ours.message) };
    const { error_code } = json;
    expect
      .soft(told, `${title}: ${ours.message}`)
      .toEqual({ status, error_code, stem: stemOf(json.message) });
  });
});
