import { jsonNumber, toJsonNumber } from '../../../core/json/json-number.ts';
import { z } from 'zod';
import type { MetricNameOf } from '../../../core/stats/metrics/catalog.ts';
import { findOutput, hasWidth, isFloat, readFloats } from './read-outputs.ts';
import { showValues } from '../model-value.ts';
import type { Task } from './task.ts';

const declared = z.strictObject({
  task: z.literal('binary'),
  /** The output with the probability of a positive: one value a row, or two of which the second counts. */
  probability: z.string().default('probability'),
});

export type BinaryTask = z.infer<typeof declared>;

/** The probability that the answer is yes, and the answer at the usual threshold of one half. */
const prediction = z.object({ probability: jsonNumber, label: z.boolean() });

/** Yes or no. A model that declares nothing is binary when it has a float32 output "probability" of one value a row. */
export const binary = {
  description: 'Yes or no: the probability of a positive.',
  metrics: [
    'aucScore',
    'logLossDistance',
    'accuracyScore',
    'calibrationErrorDistance',
    'baseRate',
  ] as const satisfies readonly MetricNameOf<'binary'>[],
  declared,
  prediction,
  bind(model, declaration) {
    if (declaration === undefined) {
      const output = model.outputs.find(({ name }) => name === 'probability');
      const isBinary = output?.type === 'float32' && hasWidth(output, 1);
      return isBinary ? { task: 'binary', probability: 'probability' } : undefined;
    }
    const output = findOutput(model, declaration.probability);
    if (!isFloat(output) || !(hasWidth(output, 1) || hasWidth(output, 2)))
      throw new RangeError(`a probability is one or two floats a row, which ${showValues([output])} is not`);
    return { task: 'binary', probability: output.name };
  },
  outputs: ({ probability }) => [probability],
  predict({ probability: name }, outputs, rows) {
    const width = outputs.get(name)?.shape[1] === 2 ? 2 : 1;
    const probabilities = readFloats(outputs, name, rows, width);
    return Array.from({ length: rows }, (_, row) => {
      const probability = probabilities[row * width + width - 1]!;
      return { probability: toJsonNumber(probability), label: probability >= 0.5 };
    });
  },
} as const satisfies Task<BinaryTask, BinaryTask, z.infer<typeof prediction>>;
