import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { experimentEndpoints } from '../../../shared/mlflow/endpoints/experiments.ts';
import { loggedModelEndpoints } from '../../../shared/mlflow/endpoints/logged-models.ts';
import { runLinkEndpoints } from '../../../shared/mlflow/endpoints/run-links.ts';
import { runEndpoints } from '../../../shared/mlflow/endpoints/runs.ts';
import { loggedModelScript } from '../../golden/mlflow/logged-models-script.ts';
import { runScript } from '../../support/mlflow-script.ts';
import { openWire } from '../../support/mlflow-wire.ts';
import { createDocuments, createTickingPace } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking.ts';

interface Recorded {
  readonly path: string;
  readonly status: number;
  readonly json: { readonly error_code?: string; readonly message?: string };
}

const file = new URL('../../golden/mlflow/logged-models.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as readonly Recorded[];

/** Steps that we answer otherwise, and why. */
const differences: Readonly<Record<string, string>> = {
  'POST mlflow/logged-models/search {"experiment_ids":["$e"],"order_by":[{"field_name":"name"}],"filter":"metrics.acc > 0.6"}':
    'the latest value counts, as with runs; there, any that was ever measured',
  [`POST mlflow/runs/search {"experiment_ids":["$e"],"filter":"dataset.name = 'b' AND dataset.context = 'training'"}`]:
    'a run that is found is told whole, with the models that it reads',
};

/** Messages are told in our own words, but for what clients look for in them. */
function stemOf(message = ''): string | undefined {
  return /^(Invalid value .* for parameter '[^']*' supplied|Missing value for required parameter '[^']*'|No tag with key '\w+'|Logged model with ID '.*' not found)/.exec(
    message,
  )?.[0];
}

test('logged models and run links answer as mlflow 3.17.2 does', async () => {
  const tracking = openTracking(createDocuments(), { pace: createTickingPace() });
  const send = openWire([
    ...experimentEndpoints(tracking),
    ...runEndpoints(tracking),
    ...runLinkEndpoints(tracking.links),
    ...loggedModelEndpoints(tracking.loggedModels),
  ]);
  const results = await runScript(loggedModelScript, send);
  expect(results.map(({ request }) => request.path)).toEqual(golden.map(({ path }) => path));
  results.forEach(({ request, answer }, index) => {
    const { status, json } = golden[index]!;
    const title = `${request.method} ${request.path} ${JSON.stringify(request.body ?? request.query ?? {}).slice(0, 200)}`;
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
