import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { webhookEvents } from '../../../shared/domains/webhooks/events.ts';
import { toDeliveryHeaders } from '../../../shared/domains/webhooks/sign.ts';

interface Golden {
  readonly signatures: readonly {
    readonly secret: string;
    readonly deliveryId: string;
    readonly timestamp: number;
    readonly body: string;
    readonly signature: string;
  }[];
  readonly examples: Record<string, unknown>;
}

/** Made by MLflow's own code: see generate.py beside it. */
const golden = JSON.parse(
  readFileSync(new URL('../../golden/webhooks/mlflow.json', import.meta.url), 'utf8'),
) as Golden;

test('what we sign, MLflow would have signed the same', () => {
  expect(golden.signatures.length).toBeGreaterThan(10);
  for (const { secret, deliveryId, timestamp, body, signature } of golden.signatures)
    expect(toDeliveryHeaders({ secret, deliveryId, body, timestampSeconds: timestamp })).toEqual({
      'Content-Type': 'application/json',
      'X-MLflow-Delivery-Id': deliveryId,
      'X-MLflow-Timestamp': String(timestamp),
      'X-MLflow-Signature': signature,
    });
});

test('without a secret there is no signature', () => {
  const headers = toDeliveryHeaders({ deliveryId: 'd', body: '{}', timestampSeconds: 1 });
  expect(Object.keys(headers)).not.toContain('X-MLflow-Signature');
});

test('the events are those of MLflow, and so are their examples', () => {
  expect(webhookEvents).toEqual(golden.examples);
});
