import { z } from 'zod';
import type { LoggedMetric } from '../tracking/runs/batch.ts';
import { double, int64, repeated, requiredText, text } from './message.ts';

/** The metrics of a batch. */
export function loggedMetrics() {
  return repeated(metric());
}

function metric(): z.ZodType<LoggedMetric> {
  return z
    .object({
      key: requiredText(),
      value: double(),
      timestamp: int64(),
      step: int64().default(0),
      model_id: text().optional(),
      dataset_name: text().optional(),
      dataset_digest: text().optional(),
    })
    .transform(({ key, value, timestamp, step, model_id, dataset_name, dataset_digest }) => ({
      key,
      value,
      timestamp,
      step,
      modelId: model_id || undefined,
      datasetName: dataset_name || undefined,
      datasetDigest: dataset_digest || undefined,
    }));
}
