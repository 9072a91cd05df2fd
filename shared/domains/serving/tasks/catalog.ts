import { z } from 'zod';
import { computeMetrics, type MetricNameOf } from '../../../core/stats/metrics/catalog.ts';
import type { PredictionKind, ScoredRows } from '../../../core/stats/metrics/metric.ts';
import { binary, type BinaryTask } from './binary.ts';
import { multiclass, type MulticlassTask } from './multiclass.ts';
import { raw, type RawTask } from './raw.ts';
import { regression, type RegressionTask } from './regression.ts';
import type { ModelFacts, Task } from './task.ts';

/** A task whose types have been erased: what it bound is only given back to it. */
export type AnyTask = Task<{ readonly task: string }, ModelTask, Prediction>;

/** Every task, by name, in the order in which inference tries them; `raw` fits every model. */
export const tasks = { binary, multiclass, regression, raw } as const satisfies Record<string, AnyTask>;

export type TaskName = keyof typeof tasks;

/** What the outputs of one model mean. */
export type ModelTask = BinaryTask | MulticlassTask | RegressionTask | RawTask;

/** One prediction of any task. */
export const predictionSchema = z.union([binary.prediction, multiclass.prediction, regression.prediction]);
export type Prediction = z.infer<typeof predictionSchema>;

/** The metrics of a task, by name. */
export type MetricsOf<Kind extends PredictionKind> = {
  readonly [One in Kind]: Readonly<Record<(typeof tasks)[One]['metrics'][number], number>>;
}[Kind];

/**
 * What the outputs of a model mean: what it declares, else what is evident from its file, else `raw`.
 *
 * @param declaration A task's name, or a JSON object with `task` and the members that the task declares.
 * @throws RangeError when the declaration is damaged or does not fit the model, saying why.
 * @example
 * const outputs = [{ name: 'y', type: 'float32', shape: ['rows', 1] }];
 * bindTask({ outputs, classes: null }) // { task: 'raw' }
 * bindTask({ outputs, classes: null }, 'regression') // { task: 'regression', value: 'y' }
 */
export function bindTask(model: ModelFacts, declaration?: string): ModelTask {
  if (declaration !== undefined) return bindDeclared(model, declaration);
  for (const task of Object.values<AnyTask>(tasks)) {
    const bound = task.bind(model);
    if (bound !== undefined) return bound;
  }
  throw new Error('the task "raw" fits every model');
}

function bindDeclared(model: ModelFacts, text: string): ModelTask {
  const declaration: unknown = text.trimStart().startsWith('{') ? JSON.parse(text) : { task: text };
  const name = z.object({ task: z.string() }).safeParse(declaration).data?.task ?? '';
  if (!Object.hasOwn(tasks, name))
    throw new RangeError(`"${name}" is not a task; there is ${Object.keys(tasks).join(', ')}`);
  const task: AnyTask = tasks[name as TaskName];
  const parsed = task.declared.safeParse(declaration);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RangeError(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  const bound = task.bind(model, parsed.data);
  if (bound === undefined) throw new RangeError(`it does not fit ${name}`);
  return bound;
}

export function findTask({ task }: ModelTask): AnyTask {
  return tasks[task];
}

/**
 * Measures predictions by every metric of their task.
 *
 * @returns One value a metric; NaN where the rows do not define it (see the metric).
 */
export function evaluate<Kind extends PredictionKind>(kind: Kind, rows: ScoredRows<Kind>): MetricsOf<Kind> {
  return computeMetrics(kind, measured[kind].metrics, rows) as MetricsOf<Kind>;
}

/** The tasks that predict something, each with metrics of its own kind. */
const measured: { readonly [Kind in PredictionKind]: { readonly metrics: readonly MetricNameOf<Kind>[] } } =
  tasks;
