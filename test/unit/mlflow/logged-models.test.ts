import { test } from 'vitest';
import { experimentEndpoints } from '../../../shared/api/mlflow/endpoints/experiments.ts';
import { loggedModelEndpoints } from '../../../shared/api/mlflow/endpoints/logged-models.ts';
import { runLinkEndpoints } from '../../../shared/api/mlflow/endpoints/run-links.ts';
import { runEndpoints } from '../../../shared/api/mlflow/endpoints/runs.ts';
import { loggedModelScript } from '../../golden/mlflow/logged-models-script.ts';
import { expectRecorded, summariseBy } from '../../support/mlflow/golden.ts';
import { openWire } from '../../support/mlflow/wire.ts';
import { createDocuments, createTickingClock } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

/** Steps with an intended difference, and its reason. */
const differences: Readonly<Record<string, string>> = {
  'POST mlflow/logged-models/search {"experiment_ids":["$e"],"order_by":[{"field_name":"name"}],"filter":"metrics.acc > 0.6"}':
    'ours compares the latest value, as with runs; theirs any value ever logged',
  [`POST mlflow/runs/search {"experiment_ids":["$e"],"filter":"dataset.name = 'b' AND dataset.context = 'training'"}`]:
    'ours returns the complete run, including its input models',
};

/** What clients look for in messages. */
const stem =
  /^(Invalid value .* for parameter '[^']*' supplied|Missing value for required parameter '[^']*'|No tag with key '\w+'|Logged model with ID '.*' not found)/;

test('logged models and run links answer as mlflow 3.17.2 does', async () => {
  const tracking = openTracking(createDocuments(), { clock: createTickingClock() });
  const send = openWire([
    ...experimentEndpoints(tracking),
    ...runEndpoints(tracking),
    ...runLinkEndpoints(tracking.links),
    ...loggedModelEndpoints(tracking.loggedModels),
  ]);
  await expectRecorded(send, {
    name: 'logged-models',
    script: loggedModelScript,
    differences,
    titleOf: ({ method, path, body, query }) =>
      `${method} ${path} ${JSON.stringify(body ?? query ?? {}).slice(0, 200)}`,
    summarise: summariseBy(stem),
  });
});
