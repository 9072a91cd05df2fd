import type { ErrorWordings } from '../../../core/error-kinds.ts';
import type { ParamChange, Place, trackingErrors } from '../../../domains/tracking/errors.ts';
import { badCharacters, badPath, invalidValue, tooLong } from './parts.ts';

const locationProblems = {
  runUri: 'it cannot be a runs:/ URI.',
  query: 'it cannot have a query or a fragment.',
  dots: 'its path cannot have "." or ".." in it.',
} as const;

const notActive = (what: string, id: string) =>
  `The ${what} ${id} must be in the 'active' state. Current state is deleted.`;

const changed = 'Changing param values is not allowed.';

/** @see https://github.com/mlflow/mlflow/blob/master/mlflow/utils/validation.py */
export const trackingWordings: ErrorWordings<typeof trackingErrors> = {
  keyHasBadCharacters: ({ place, key }) => invalidValue(parameterOf(place), key, badCharacters),
  keyIsPath: ({ place, key, path }) =>
    invalidValue(parameterOf(place), key, `${badPath} This name would resolve to '${path}'`),
  textTooLong: ({ place, maxCharacters }) => tooLong(nameLength(place), maxCharacters),
  timestampNegative: ({ place, timestamp, key, value }) =>
    invalidValue(
      parameterOf(place),
      timestamp,
      `metric '${key}' (value=${value}). Timestamp must be a nonnegative long (64-bit integer) `,
    ),
  paramsRepeated: ({ keys }) =>
    `Duplicate parameter keys have been submitted: [${keys.map((key) => `'${key}'`).join(', ')}]. Please ensure the request contains only one param value per param key.`,
  batchTooLarge: ({ what, count, limit }) => {
    const items = what === 'items' ? 'metrics, params, and tags' : what;
    return `A batch logging request can contain at most ${limit} ${items}. Got ${count} ${items}. Please split up ${items} across multiple requests and try again.`;
  },
  limitOutOfRange: ({ limit, maxLimit }) =>
    `Invalid value ${limit} for parameter 'max_results' supplied. It must be ${limit < 1 ? 'a positive integer' : `at most ${maxLimit}`}.`,

  runMissing: ({ runId }) => `Run with id=${runId} not found`,
  runDeleted: ({ runId }) => notActive('run', runId),
  runTagMissing: ({ runId, key }) => `No tag with name: ${key} in run with id ${runId}`,
  runNamesDiffer: ({ name, tag }) =>
    `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${name}', mlflow.runName='${tag}').`,
  paramsChanged: ({ runId, changes, logged }) =>
    `${changed} ${logged === 1 ? describeChange(runId, changes[0]!) : describeChanges(runId, changes)}`,

  experimentMissing: ({ experimentId }) => `No Experiment with id=${experimentId} exists`,
  experimentNameUnknown: ({ name }) => `Could not find experiment with name '${name}'`,
  experimentNameTaken: ({ name }) => `Experiment '${name}' already exists.`,
  experimentNameEmpty: () => "Invalid experiment name: ''",
  experimentDeleted: ({ experimentId }) => notActive('experiment', experimentId),
  deletedExperimentRenamed: () => 'Cannot rename a non-active experiment.',
  experimentTagMissing: ({ experimentId, key }) =>
    `No tag with name: ${key} in experiment with id ${experimentId}`,
  artifactLocationInvalid: ({ location, problem }) =>
    `Invalid artifact_location ${JSON.stringify(location)}: ${locationProblems[problem]}`,

  loggedModelMissing: ({ modelId }) => `Logged model with ID '${modelId}' not found.`,
  loggedModelTagMissing: ({ modelId, key }) =>
    `No tag with key '${key}' found for model with ID '${modelId}'.`,
  loggedModelNameInvalid: ({ name }) =>
    `Invalid model name ('${name}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
  loggedModelParamChanged: ({ key, logged, value }) =>
    `${changed} Param with key='${key}' was already logged with value='${logged}' for this model. Attempted logging new value '${value}'.`,
  modelOrderInvalid: ({ field }) => `Invalid order by field name: ${field}`,
  modelOrderNotMetric: ({ field }) => `Invalid order by field name: ${field}. Only metrics are supported.`,
};

const lists: Partial<Record<Place['of'], string>> = {
  metric: 'metrics',
  param: 'params',
  tag: 'tags',
  loggedModelParam: 'params',
  loggedModelTag: 'tags',
};

/** MLflow calls the key of a metric its name. */
function parameterOf({ of, member, index }: Place): string {
  const name = of === 'metric' && member === 'key' ? 'name' : member;
  return index === undefined ? name : `${lists[of]}[${index}].${name}`;
}

/** Lengths are reported for names of their own. */
function nameLength(place: Place): string {
  const { of, member } = place;
  if (of === 'metric' && member === 'key') return 'Metric name';
  if (of === 'param' && member === 'key') return 'Param key';
  if (of === 'run' && member === 'name') return 'run_name';
  if (of === 'experiment' && member === 'artifactLocation') return 'artifact_location';
  return parameterOf(place);
}

function describeChange(runId: string, { key, logged, value }: ParamChange): string {
  return `Param with key='${key}' was already logged with value='${logged}' for run ID='${runId}'. Attempted logging new value '${value}'.`;
}

function describeChanges(runId: string, changes: readonly ParamChange[]): string {
  const all = changes.map(
    ({ key, logged, value }) => `{'key': '${key}', 'old_value': '${logged}', 'new_value': '${value}'}`,
  );
  return `Params were already logged='[${all.join(', ')}]' for run ID='${runId}'.`;
}
