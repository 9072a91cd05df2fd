import type { z } from 'zod';
import type { LoggedMetric } from '../../../domains/tracking/runs/batch.ts';
import { double, int64, requiredText, text } from './message.ts';

/** The members of a logged metric, in a message of its own or in a batch. */
export const metricShape = () => ({
  key: requiredText(),
  value: double(),
  timestamp: int64(),
  step: int64().default(0),
  model_id: text().optional(),
  dataset_name: text().optional(),
  dataset_digest: text().optional(),
});

type MetricMessage = z.output<z.ZodObject<ReturnType<typeof metricShape>>>;

/** Empty names mean missing ones. */
export function toLoggedMetric(message: MetricMessage): LoggedMetric {
  const { key, value, timestamp, step, model_id, dataset_name, dataset_digest } = message;
  return {
    key,
    value,
    timestamp,
    step,
    modelId: model_id || undefined,
    datasetName: dataset_name || undefined,
    datasetDigest: dataset_digest || undefined,
  };
}
