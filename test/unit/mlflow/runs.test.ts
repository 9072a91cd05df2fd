import { test } from 'vitest';
import { experimentEndpoints } from '../../../shared/api/mlflow/endpoints/experiments.ts';
import { metricEndpoints } from '../../../shared/api/mlflow/endpoints/metrics.ts';
import { runEndpoints } from '../../../shared/api/mlflow/endpoints/runs.ts';
import { trackingScript } from '../../golden/mlflow/tracking-script.ts';
import { expectRecorded, summariseBy } from '../../support/mlflow/golden.ts';
import { openWire } from '../../support/mlflow/wire.ts';
import { createDocuments, createTickingClock } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

/** Steps with an intended difference, and its reason. */
const differences: Readonly<Record<string, string>> = {
  'mlflow/experiments/search {"max_results":10,"view_type":"NONE"}': 'an unknown word is refused',
  'mlflow/experiments/create {"name":"n","tags":[{"key":"","value":""}]}': 'the message also names the place',
  'mlflow/runs/update {"run_id":"$two","status":"SLEEPING"}': 'an unknown word is refused',
};

/** What clients look for in messages. */
const stem =
  /^(Invalid value .* for parameter '[^']*' supplied|Missing value for required parameter '[^']*')/;

test('experiments, runs and metrics answer as mlflow 3.17.2 does', async () => {
  const tracking = openTracking(createDocuments(), { clock: createTickingClock() });
  const send = openWire([
    ...experimentEndpoints(tracking),
    ...runEndpoints(tracking),
    ...metricEndpoints(tracking),
  ]);
  await expectRecorded(send, {
    name: 'tracking',
    script: trackingScript,
    differences,
    titleOf: ({ path, body, query }) => `${path} ${JSON.stringify(body ?? query).slice(0, 200)}`,
    summarise: summariseBy(stem),
  });
});
