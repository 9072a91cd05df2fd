import { jsonNumber, toJsonNumber } from '../../../core/json/json-number.ts';
import { z } from 'zod';
import type { MetricNameOf } from '../../../core/stats/metrics/catalog.ts';
import { showValues } from '../model-value.ts';
import { findOutput, hasWidth, isFloat, readFloats } from './read-outputs.ts';
import type { Task } from './task.ts';

const declared = z.strictObject({
  task: z.literal('regression'),
  /** The output with the predicted number, one a row; the only output unless given. */
  value: z.string().optional(),
});

export interface RegressionTask {
  readonly task: 'regression';
  readonly value: string;
}

const prediction = z.object({ value: jsonNumber });

/** A number. Never inferred: a float a row can as well be a score, an embedding or a probability. */
export const regression = {
  description: 'A number.',
  metrics: [
    'rmseDistance',
    'maeDistance',
    'r2Score',
  ] as const satisfies readonly MetricNameOf<'regression'>[],
  declared,
  prediction,
  bind(model, declaration) {
    if (declaration === undefined) return undefined;
    const [only] = model.outputs;
    if (declaration.value === undefined && model.outputs.length !== 1)
      throw new RangeError(`declare "value", one of ${showValues(model.outputs)}`);
    const output = findOutput(model, declaration.value ?? only?.name ?? '');
    if (!isFloat(output) || !hasWidth(output, 1))
      throw new RangeError(`${showValues([output])} is not one float a row`);
    return { task: 'regression', value: output.name };
  },
  outputs: ({ value }) => [value],
  predict: ({ value }, outputs, rows) =>
    Array.from(readFloats(outputs, value, rows, 1), (number) => ({ value: toJsonNumber(number) })),
} as const satisfies Task<z.infer<typeof declared>, RegressionTask, z.infer<typeof prediction>>;
