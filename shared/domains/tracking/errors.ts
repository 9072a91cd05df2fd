import { defineErrors, errorKind } from '../../core/error-kinds.ts';

/** Which value of a request: `metrics[3].key`. Without an index, that of the only such object. */
export interface Place {
  readonly of: keyof typeof nouns;
  readonly member: string;
  readonly index?: number | undefined;
}

const nouns = {
  run: 'run',
  metric: 'metric',
  param: 'param',
  tag: 'tag',
  experiment: 'experiment',
  experimentTag: 'experiment tag',
  loggedModel: 'logged model',
  loggedModelParam: 'param',
  loggedModelTag: 'tag',
  dataset: 'dataset',
  datasetTag: 'dataset tag',
} as const;

export interface ParamChange {
  readonly key: string;
  readonly logged: string;
  readonly value: string;
}

const invalid = <Facts extends object>(describe: (facts: Facts) => string) =>
  errorKind('INVALID_ARGUMENT', describe);
const missing = <Facts extends object>(describe: (facts: Facts) => string) =>
  errorKind('NOT_FOUND', describe);

/** How the operations on experiments, runs and logged models can fail. */
export const trackingErrors = defineErrors({
  keyHasBadCharacters: invalid(
    ({ place, key }: { readonly place: Place; readonly key: string }) =>
      `${show(place)} ${quote(key)} is invalid: use letters, digits, "_", "-", ".", " ", ":" and "/".`,
  ),
  keyIsPath: invalid(
    ({ place, key, path }: { readonly place: Place; readonly key: string; readonly path: string }) =>
      `${show(place)} ${quote(key)} is invalid: as a path it means ${quote(path)}. Remove empty, "." and ".." segments.`,
  ),
  textTooLong: invalid(
    ({ place, maxCharacters }: { readonly place: Place; readonly maxCharacters: number }) =>
      `${show(place)} has more than ${maxCharacters} characters.`,
  ),
  timestampNegative: invalid(
    ({
      place,
      timestamp,
    }: {
      readonly place: Place;
      readonly timestamp: number;
      readonly key: string;
      readonly value: number;
    }) => `${show(place)} is ${timestamp}: use milliseconds since the Unix epoch, from 0.`,
  ),
  paramsRepeated: invalid(
    ({ keys }: { readonly keys: readonly string[] }) =>
      `The batch contains params more than once: ${keys.map(quote).join(', ')}. Send each key once.`,
  ),
  batchTooLarge: invalid(
    ({
      what,
      count,
      limit,
    }: {
      readonly what: 'metrics' | 'params' | 'tags' | 'items';
      readonly count: number;
      readonly limit: number;
    }) => `The batch has ${count} ${what}; the limit is ${limit}. Split it into several requests.`,
  ),
  limitOutOfRange: invalid(
    ({ limit, maxLimit }: { readonly limit: number; readonly maxLimit: number }) =>
      `The limit ${limit} is out of range: use 1 to ${maxLimit}.`,
  ),

  runMissing: missing(({ runId }: { readonly runId: string }) => `There is no run "${runId}".`),
  runDeleted: invalid(
    ({ runId }: { readonly runId: string }) => `The run ${runId} is deleted: restore it first.`,
  ),
  runTagMissing: missing(
    ({ runId, key }: { readonly runId: string; readonly key: string }) =>
      `The run ${runId} has no tag ${quote(key)}.`,
  ),
  runNamesDiffer: invalid(
    ({ name, tag }: { readonly name: string; readonly tag: string }) =>
      `The run has two names: ${quote(name)}, and ${quote(tag)} in its tag. Send one.`,
  ),
  paramsChanged: invalid(
    ({
      runId,
      changes,
    }: {
      readonly runId: string;
      readonly changes: readonly ParamChange[];
      /** How many params the request logs. */
      readonly logged: number;
    }) => `Params of the run ${runId} cannot change: ${changes.slice(0, 10).map(showChange).join(', ')}.`,
  ),
  runIdOfOtherExperiment: invalid(
    ({ runId, experimentId }: { readonly runId: string; readonly experimentId: string }) =>
      `The run id ${runId} contains another experiment than ${experimentId}: leave the id out, or use a random UUID without hyphens.`,
  ),
  tooManyDatasets: invalid(
    ({ limit }: { readonly limit: number }) => `At most ${limit} datasets can be logged in one request.`,
  ),
  modelHistoryUnreadable: invalid(
    ({ tag }: { readonly tag: string }) =>
      `The run's tag "${tag}" is not a JSON list of models: delete the tag first.`,
  ),

  experimentMissing: missing(
    ({ experimentId }: { readonly experimentId: string }) => `There is no experiment "${experimentId}".`,
  ),
  experimentNameUnknown: missing(
    ({ name }: { readonly name: string }) => `There is no experiment named ${quote(name)}.`,
  ),
  experimentNameTaken: errorKind(
    'ALREADY_EXISTS',
    ({ name }: { readonly name: string }) => `An experiment named ${quote(name)} already exists.`,
  ),
  experimentNameEmpty: invalid(() => 'The name of an experiment is empty.'),
  experimentNameNotUnicode: invalid(
    () => 'The name of an experiment contains a lone surrogate: send valid Unicode.',
  ),
  experimentDeleted: invalid(
    ({ experimentId }: { readonly experimentId: string }) =>
      `The experiment ${experimentId} is deleted: restore it first.`,
  ),
  deletedExperimentRenamed: invalid(
    ({ experimentId }: { readonly experimentId: string }) =>
      `The experiment ${experimentId} is deleted: restore it before renaming it.`,
  ),
  experimentNotDeleted: invalid(
    ({ experimentId }: { readonly experimentId: string }) =>
      `The experiment ${experimentId} is not deleted: delete it before purging it.`,
  ),
  experimentTagMissing: missing(
    ({ experimentId, key }: { readonly experimentId: string; readonly key: string }) =>
      `The experiment ${experimentId} has no tag ${quote(key)}.`,
  ),
  artifactLocationInvalid: invalid(
    ({ location, problem }: { readonly location: string; readonly problem: keyof typeof locationProblems }) =>
      `The artifact location ${quote(location)} is invalid: ${locationProblems[problem]}.`,
  ),

  loggedModelMissing: missing(
    ({ modelId }: { readonly modelId: string }) => `There is no logged model "${modelId}".`,
  ),
  loggedModelTagMissing: missing(
    ({ modelId, key }: { readonly modelId: string; readonly key: string }) =>
      `The logged model ${modelId} has no tag ${quote(key)}.`,
  ),
  loggedModelNameInvalid: invalid(
    ({ name }: { readonly name: string }) =>
      `The model name ${quote(name)} is invalid: it must not be empty, nor contain / : . % " or '.`,
  ),
  loggedModelParamChanged: invalid(
    (change: ParamChange) => `Params of a logged model cannot change: ${showChange(change)}.`,
  ),
  tooManyModelMetrics: invalid(
    ({ limit }: { readonly limit: number }) =>
      `A logged model has at most ${limit} metrics, counted by run and dataset.`,
  ),
  tooManySearchedDatasets: invalid(
    ({ limit }: { readonly limit: number }) => `A search names at most ${limit} datasets.`,
  ),
  modelOrderInvalid: invalid(
    ({ field }: { readonly field: string }) =>
      `Cannot sort logged models by ${quote(field)}: there is no such field.`,
  ),
  modelOrderNotMetric: invalid(
    ({ field }: { readonly field: string }) =>
      `Cannot sort logged models by ${quote(field)}: use an attribute or metrics.<key>.`,
  ),

  comparedRunsOutOfRange: invalid(
    ({ count, limit }: { readonly count: number; readonly limit: number }) =>
      `A comparison takes 1 to ${limit} runs, got ${count}.`,
  ),
  comparisonTooLarge: invalid(() => 'These runs hold too much to compare in one answer: name fewer runs.'),
});

const locationProblems = {
  runUri: 'it is a runs:/ URI',
  query: 'it has a query or a fragment',
  dots: 'its path contains ".."',
} as const;

function show({ of, member, index }: Place): string {
  const noun = nouns[of];
  return index === undefined ? `The ${noun} ${member}` : `${noun}s[${index}].${member}`;
}

function showChange({ key, logged, value }: ParamChange): string {
  return `${quote(key)} is ${quote(logged)}, not ${quote(value)}`;
}

/** As a JSON string, cut after 300 characters. */
function quote(text: string): string {
  const json = JSON.stringify(text);
  return json.length > 300 ? `${json.slice(0, 300)}…` : json;
}
