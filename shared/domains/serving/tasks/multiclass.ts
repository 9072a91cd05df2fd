import { jsonNumber, toJsonNumber } from '../../../core/json/json-number.ts';
import { z } from 'zod';
import type { MetricNameOf } from '../../../core/stats/metrics/catalog.ts';
import { pickClasses } from '../../../core/stats/metrics/pick-classes.ts';
import { showValues } from '../model-value.ts';
import { findOutput, hasWidth, isFloat, readFloats, readLabels } from './read-outputs.ts';
import type { ModelFacts, Task } from './task.ts';

const classesSchema = z.union([z.array(z.string()).min(2).readonly(), z.array(z.int()).min(2).readonly()]);

const declared = z.strictObject({
  task: z.literal('multiclass'),
  /** The output with a probability for each class; the only float output unless given. */
  probabilities: z.string().optional(),
  /** The output with the predicted class; the class with the highest probability unless given. */
  label: z.string().optional(),
  /** The classes in the order of their probabilities; those of the model's classifier nodes unless given. */
  classes: classesSchema.optional(),
});
type Declared = z.infer<typeof declared>;

export interface MulticlassTask {
  readonly task: 'multiclass';
  readonly probabilities: string;
  readonly label?: string;
  readonly classes: z.infer<typeof classesSchema>;
}

const prediction = z.object({
  label: z.union([z.string(), z.int()]),
  /** By class, as text. */
  probabilities: z.record(z.string(), jsonNumber),
});

/** The names that skl2onnx gives to the two outputs of a classifier: with `zipmap: False`, and otherwise. */
const usualNames = [
  ['label', 'probabilities'],
  ['output_label', 'output_probability'],
] as const;

/**
 * One of several classes. A model that declares nothing is multiclass when its only outputs are the two of a
 * classifier of scikit-learn, and its classifier nodes agree on the classes.
 */
export const multiclass = {
  description: 'One of several classes: a probability for each.',
  metrics: [
    'logLossDistance',
    'accuracyScore',
    'macroF1Score',
  ] as const satisfies readonly MetricNameOf<'multiclass'>[],
  declared,
  prediction,
  bind: (model, declaration) => (declaration === undefined ? infer(model) : complete(model, declaration)),
  outputs: ({ probabilities, label }) => (label === undefined ? [probabilities] : [label, probabilities]),
  predict({ probabilities: name, label, classes }, outputs, rows) {
    const numbers = readFloats(outputs, name, rows, classes.length);
    const labels = label === undefined ? pickLabels(numbers, classes) : readLabels(outputs, label, rows);
    return labels.map((picked, row) => {
      const first = row * classes.length;
      const entries = classes.map((value, index): [string, ReturnType<typeof toJsonNumber>] => [
        String(value),
        toJsonNumber(numbers[first + index]!),
      ]);
      return { label: picked, probabilities: Object.fromEntries(entries) };
    });
  },
} as const satisfies Task<Declared, MulticlassTask, z.infer<typeof prediction>>;

function infer(model: ModelFacts): MulticlassTask | undefined {
  const { outputs, classes } = model;
  const names = usualNames.find((pair) => pair.every((name) => outputs.some((value) => value.name === name)));
  if (names === undefined || outputs.length !== 2 || classes === null || classes.length < 2) return undefined;
  const [label, probabilities] = names.map((name) => findOutput(model, name));
  const labelType = typeof classes[0] === 'string' ? 'string' : 'int64';
  const isClassifier =
    label?.type === labelType &&
    hasWidth(label, 1) &&
    probabilities !== undefined &&
    isFloat(probabilities) &&
    hasWidth(probabilities, classes.length);
  return isClassifier
    ? { task: 'multiclass', label: label.name, probabilities: probabilities.name, classes }
    : undefined;
}

function complete(model: ModelFacts, declaration: Declared): MulticlassTask {
  const classes = declaration.classes ?? model.classes;
  if (classes === null) throw new RangeError('it does not say its classes: declare "classes" with the task');
  if (new Set<string | number>(classes).size !== classes.length)
    throw new RangeError('two classes are equal');
  const floats = model.outputs.filter(isFloat);
  const [only] = floats;
  if (declaration.probabilities === undefined && floats.length !== 1)
    throw new RangeError(`declare "probabilities", one of ${showValues(model.outputs)}`);
  const output = findOutput(model, declaration.probabilities ?? only?.name ?? '');
  if (!isFloat(output) || !hasWidth(output, classes.length))
    throw new RangeError(`${showValues([output])} is not ${classes.length} floats a row, one for each class`);
  const label = declaration.label === undefined ? undefined : findOutput(model, declaration.label);
  if (label !== undefined && (!['int64', 'string'].includes(label.type) || !hasWidth(label, 1)))
    throw new RangeError(`${showValues([label])} is not one int64 or string a row`);
  return {
    task: 'multiclass',
    probabilities: output.name,
    ...(label !== undefined && { label: label.name }),
    classes,
  };
}

function pickLabels(
  numbers: Float32Array | Float64Array,
  classes: MulticlassTask['classes'],
): readonly (string | number)[] {
  const probabilities = Float64Array.from(numbers);
  return Array.from(pickClasses({ classes: classes.length, probabilities }), (index) => classes[index]!);
}
