import { expect, test } from 'vitest';
import { metricEndpoints } from '../../../shared/api/mlflow/endpoints/metrics.ts';
import { runEndpoints } from '../../../shared/api/mlflow/endpoints/runs.ts';
import { openWire } from '../../support/mlflow/wire.ts';
import { createDocuments, createTickingClock } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

interface History {
  readonly metrics?: readonly { readonly step: number; readonly value: number | string }[];
  readonly next_page_token?: string;
}

test('clients can use camelCase, and follow the token page by page', async () => {
  const tracking = openTracking(createDocuments(), { clock: createTickingClock() });
  const wire = openWire([...runEndpoints(tracking), ...metricEndpoints(tracking)]);
  const { info } = await tracking.runs.create({}, 'me');
  for (let start = 0; start < 3_000; start += 1_000) {
    const metrics = Array.from({ length: 1_000 }, (_, i) => ({
      key: 'm',
      value: i === 7 ? 'NaN' : start + i,
      timestamp: String(start + i),
      step: start + i,
    }));
    const answer = await wire('POST', 'mlflow/runs/log-batch', { runId: info.runId, metrics });
    expect(answer).toEqual({ status: 200, json: {} });
  }
  const steps: number[] = [];
  let token = '';
  let pages = 0;
  do {
    const query = new URLSearchParams({
      runUuid: info.runId,
      metricKey: 'm',
      maxResults: '700',
      pageToken: token,
    });
    if (token === '') query.delete('pageToken');
    const { status, json } = await wire('GET', `mlflow/metrics/get-history?${query.toString()}`, undefined);
    expect(status).toBe(200);
    const { metrics = [], next_page_token = '' } = json as History;
    steps.push(...metrics.map(({ step }) => step));
    token = next_page_token;
    pages += 1;
  } while (token !== '');
  expect(pages).toBe(5);
  expect(steps).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
});
