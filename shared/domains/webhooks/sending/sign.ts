import { createHmac } from 'node:crypto';

export interface SignedDelivery {
  readonly deliveryId: string;
  readonly body: string;
  /** Seconds since the Unix epoch; receivers refuse old ones. */
  readonly timestampSeconds: number;
  /** Without a secret the delivery is not signed. */
  readonly secret?: string | undefined;
}

/**
 * The headers of a delivery. MLflow's receivers verify the signature: `v1,` and the Base64 of the HMAC-SHA256 of
 * `id.timestamp.body`.
 *
 * @see https://mlflow.org/docs/latest/ml/webhooks (verification), https://www.standardwebhooks.com
 */
export function toDeliveryHeaders(delivery: SignedDelivery): Readonly<Record<string, string>> {
  const { deliveryId, body, timestampSeconds, secret } = delivery;
  const headers = {
    'Content-Type': 'application/json',
    'X-MLflow-Delivery-Id': deliveryId,
    'X-MLflow-Timestamp': String(timestampSeconds),
  };
  if (secret === undefined) return headers;
  const signed = `${deliveryId}.${timestampSeconds}.${body}`;
  const signature = createHmac('sha256', secret).update(signed, 'utf8').digest('base64');
  return { ...headers, 'X-MLflow-Signature': `v1,${signature}` };
}
