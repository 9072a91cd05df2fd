import { describe, expect, test } from 'vitest';
import { artifactWordings } from '../../../shared/api/mlflow/wording/artifacts.ts';
import { cursorWordings } from '../../../shared/api/mlflow/wording/cursors.ts';
import { registryWordings } from '../../../shared/api/mlflow/wording/registry.ts';
import { searchWordings } from '../../../shared/api/mlflow/wording/search.ts';
import { trackingWordings } from '../../../shared/api/mlflow/wording/tracking.ts';
import { toMlflowMessage } from '../../../shared/api/mlflow/wording/wordings.ts';
import { cursorErrors as cursors } from '../../../shared/core/cursor.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { artifactErrors as artifacts } from '../../../shared/domains/artifacts/errors.ts';
import { registryErrors as registry } from '../../../shared/domains/registry/errors.ts';
import { trackingErrors as tracking } from '../../../shared/domains/tracking/errors.ts';
import { searchErrors as search } from '../../../shared/platform/search/errors.ts';

const rooms = { artifacts, cursors, registry, search, tracking };
const worded = [artifactWordings, cursorWordings, registryWordings, searchWordings, trackingWordings].flatMap(
  (wordings) => Object.keys(wordings),
);

const characters =
  'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).';
const paths =
  'Names may be treated as files in certain cases, and must not resolve to other names when treated as such.';
const changes = [
  { key: 'a', logged: '1', value: '3' },
  { key: 'b', logged: '2', value: '4' },
];
const source = '/etc/passwd';

/** The messages of mlflow 3.17.2, or those that its clients expect; recorded answers hold the stems of many. */
const sentences: readonly (readonly [AppError, string])[] = [
  [
    tracking.keyHasBadCharacters({ place: { of: 'metric', member: 'key', index: 3 }, key: 'a?' }),
    `Invalid value "a?" for parameter 'metrics[3].name' supplied: ${characters}`,
  ],
  [
    tracking.keyHasBadCharacters({ place: { of: 'metric', member: 'key' }, key: 'a?' }),
    `Invalid value "a?" for parameter 'name' supplied: ${characters}`,
  ],
  [
    tracking.keyHasBadCharacters({ place: { of: 'tag', member: 'key' }, key: 'a?' }),
    `Invalid value "a?" for parameter 'key' supplied: ${characters}`,
  ],
  [
    tracking.keyIsPath({ place: { of: 'param', member: 'key', index: 0 }, key: 'a//b', path: 'a/b' }),
    `Invalid value "a//b" for parameter 'params[0].key' supplied: ${paths} This name would resolve to 'a/b'`,
  ],
  [
    tracking.textTooLong({ place: { of: 'metric', member: 'key', index: 1 }, maxCharacters: 250 }),
    "'Metric name' exceeds the maximum length of 250 characters",
  ],
  [
    tracking.textTooLong({ place: { of: 'param', member: 'key' }, maxCharacters: 250 }),
    "'Param key' exceeds the maximum length of 250 characters",
  ],
  [
    tracking.textTooLong({ place: { of: 'tag', member: 'key', index: 2 }, maxCharacters: 250 }),
    "'tags[2].key' exceeds the maximum length of 250 characters",
  ],
  [
    tracking.textTooLong({ place: { of: 'run', member: 'name' }, maxCharacters: 8_000 }),
    "'run_name' exceeds the maximum length of 8000 characters",
  ],
  [
    tracking.textTooLong({ place: { of: 'experiment', member: 'artifactLocation' }, maxCharacters: 2_048 }),
    "'artifact_location' exceeds the maximum length of 2048 characters",
  ],
  [
    tracking.textTooLong({ place: { of: 'loggedModelParam', member: 'value', index: 0 }, maxCharacters: 9 }),
    "'params[0].value' exceeds the maximum length of 9 characters",
  ],
  [
    tracking.textTooLong({ place: { of: 'dataset', member: 'name' }, maxCharacters: 500 }),
    "'name' exceeds the maximum length of 500 characters",
  ],
  [
    tracking.timestampNegative({
      place: { of: 'metric', member: 'timestamp', index: 0 },
      timestamp: -1,
      key: 'a',
      value: NaN,
    }),
    "Invalid value -1 for parameter 'metrics[0].timestamp' supplied: metric 'a' (value=NaN). Timestamp must be a nonnegative long (64-bit integer) ",
  ],
  [
    tracking.paramsRepeated({ keys: ['a', 'b'] }),
    "Duplicate parameter keys have been submitted: ['a', 'b']. Please ensure the request contains only one param value per param key.",
  ],
  [
    tracking.batchTooLarge({ what: 'params', count: 101, limit: 100 }),
    'A batch logging request can contain at most 100 params. Got 101 params. Please split up params across multiple requests and try again.',
  ],
  [
    tracking.batchTooLarge({ what: 'items', count: 1_010, limit: 1_000 }),
    'A batch logging request can contain at most 1000 metrics, params, and tags. Got 1010 metrics, params, and tags. Please split up metrics, params, and tags across multiple requests and try again.',
  ],
  [
    tracking.limitOutOfRange({ limit: 0, maxLimit: 50_000 }),
    "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer.",
  ],
  [
    tracking.limitOutOfRange({ limit: 50_001, maxLimit: 50_000 }),
    "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000.",
  ],
  [tracking.runMissing({ runId: 'r' }), 'Run with id=r not found'],
  [tracking.runDeleted({ runId: 'r' }), "The run r must be in the 'active' state. Current state is deleted."],
  [tracking.runTagMissing({ runId: 'r', key: 'k' }), 'No tag with name: k in run with id r'],
  [
    tracking.runNamesDiffer({ name: 'a', tag: 'b' }),
    "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='a', mlflow.runName='b').",
  ],
  [
    tracking.paramsChanged({ runId: 'r', changes: changes.slice(0, 1), logged: 1 }),
    "Changing param values is not allowed. Param with key='a' was already logged with value='1' for run ID='r'. Attempted logging new value '3'.",
  ],
  [
    tracking.paramsChanged({ runId: 'r', changes, logged: 2 }),
    "Changing param values is not allowed. Params were already logged='[{'key': 'a', 'old_value': '1', 'new_value': '3'}, {'key': 'b', 'old_value': '2', 'new_value': '4'}]' for run ID='r'.",
  ],
  [tracking.experimentMissing({ experimentId: '7' }), 'No Experiment with id=7 exists'],
  [tracking.experimentNameUnknown({ name: 'n' }), "Could not find experiment with name 'n'"],
  [tracking.experimentNameTaken({ name: 'n' }), "Experiment 'n' already exists."],
  [tracking.experimentNameEmpty(), "Invalid experiment name: ''"],
  [
    tracking.experimentDeleted({ experimentId: '7' }),
    "The experiment 7 must be in the 'active' state. Current state is deleted.",
  ],
  [tracking.deletedExperimentRenamed({ experimentId: '7' }), 'Cannot rename a non-active experiment.'],
  [
    tracking.experimentTagMissing({ experimentId: '7', key: 'k' }),
    'No tag with name: k in experiment with id 7',
  ],
  [
    tracking.artifactLocationInvalid({ location: 's3://b?x', problem: 'query' }),
    'Invalid artifact_location "s3://b?x": it cannot have a query or a fragment.',
  ],
  [tracking.loggedModelMissing({ modelId: 'm-1' }), "Logged model with ID 'm-1' not found."],
  [
    tracking.loggedModelTagMissing({ modelId: 'm-1', key: 'k' }),
    "No tag with key 'k' found for model with ID 'm-1'.",
  ],
  [
    tracking.loggedModelNameInvalid({ name: 'a/b' }),
    `Invalid model name ('a/b') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
  ],
  [
    tracking.loggedModelParamChanged(changes[0]!),
    "Changing param values is not allowed. Param with key='a' was already logged with value='1' for this model. Attempted logging new value '3'.",
  ],
  [tracking.modelOrderInvalid({ field: 'x' }), 'Invalid order by field name: x'],
  [
    tracking.modelOrderNotMetric({ field: 'params.x' }),
    'Invalid order by field name: params.x. Only metrics are supported.',
  ],

  [registry.modelMissing({ model: 'm' }), 'Registered Model with name=m not found'],
  [registry.versionMissing({ model: 'm', version: 3 }), 'Model Version (name=m, version=3) not found'],
  [registry.stageEmpty({ model: 'm' }), 'Latest version not found for model m.'],
  [registry.sourceRunMissing({ runId: 'r' }), 'Run with id=r not found'],
  [
    registry.nameTaken({ name: 'm', owner: 'model', wanted: 'model' }),
    'Registered Model (name=m) already exists.',
  ],
  [registry.nameTaken({ name: 'm', owner: 'prompt', wanted: 'prompt' }), 'Prompt (name=m) already exists.'],
  [
    registry.nameTaken({ name: 'm', owner: 'model', wanted: 'prompt' }),
    "Tried to create a prompt with name 'm', but the name is already taken by a registered model. A model and a prompt cannot have the same name.",
  ],
  [registry.nameEmpty({ isNew: false }), "Missing value for required parameter 'name'."],
  [registry.nameEmpty({ isNew: true }), "Missing value for required parameter 'new_name'."],
  [registry.nameHasSeparator({ name: 'a:b' }), "Invalid model name 'a:b'. Names cannot contain '/' or ':'."],
  [registry.nameIsPath({ name: '..' }), `Invalid value ".." for parameter 'name' supplied: ${paths}`],
  [registry.aliasEmpty(), 'Registered model alias name cannot be empty.'],
  [
    registry.aliasHasBadCharacters({ alias: 'a b' }),
    "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and dashes (-).",
  ],
  [
    registry.aliasReserved({ alias: 'Latest', isVersion: false }),
    "'latest' alias name (case insensitive) is reserved.",
  ],
  [registry.aliasReserved({ alias: 'v1', isVersion: true }), "Version alias name 'v1' is reserved."],
  [
    registry.tagKeyHasBadCharacters({ key: 'a?' }),
    `Invalid value "a?" for parameter 'key' supplied: ${characters}`,
  ],
  [registry.tagKeyIsPath({ key: '../x' }), `Invalid value "../x" for parameter 'key' supplied: ${paths}`],
  [registry.promptTooLong({ maxCharacters: 9 }), 'Prompt text exceeds max length of 9 characters.'],
  [
    registry.fieldTooLong({ field: 'alias', maxCharacters: 255 }),
    "'Registered model alias name' exceeds the maximum length of 255 characters",
  ],
  [
    registry.stageUnknown({ stage: 'X', stages: ['None', 'Production'] }),
    'Invalid Model Version stage: X. Value must be one of None, Production.',
  ],
  [
    registry.stageNotArchivable({ stage: 'None' }),
    "Model version transition cannot archive existing model versions because 'None' is not an Active stage. Valid stages are ['Staging', 'Production']",
  ],
  [
    registry.sourceHasHost({ source }),
    `${source} is not a valid remote uri. Upload the model as an artifact and name that.`,
  ],
  [
    registry.sourceIsLocal({ source }),
    `Invalid model version source: '${source}'. To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.`,
  ],
  [
    registry.sourceIsRelative({ source }),
    `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.`,
  ],
  [
    registry.modelUriInvalid({ source }),
    `Invalid model version source: '${source}'. A models:/ URI is 'models:/name/version', 'models:/name@alias' or 'models:/<model id>'.`,
  ],
  [
    registry.sourceNotOfModel({ source }),
    `Invalid model version source: '${source}'. The model_id request parameter must identify the resource that contains the source.`,
  ],
  [
    registry.sourceIsPrompt({ source }),
    `Invalid model version source: '${source}'. Prompt versions cannot be used as model version sources.`,
  ],

  [
    cursors.cursorInvalid(),
    'Invalid page token: pass the next_page_token of the previous page on, unchanged.',
  ],
  [
    cursors.cursorOfOtherQuery(),
    'Invalid page token: it belongs to another request. Keep all parameters but max_results the same from page to page.',
  ],

  [artifacts.pathUnsafe({ danger: 'upwards' }), 'Invalid path'],
  [artifacts.isFolder({ path: 'a' }), "Artifact path refers to a directory, not a file: 'a'"],
  [artifacts.artifactMissing({ path: 'a' }), "No such artifact: 'a'"],
  [
    artifacts.folderTooLarge({ folder: 'a', limit: 9 }),
    "The folder 'a' has more than 9 entries: list it page by page (artifacts/list with page_token).",
  ],
  [
    artifacts.signedAccessUnavailable({ access: 'multipartUpload' }),
    'Multipart upload is not supported for the current artifact repository',
  ],
];

const untested = worded.filter((reason) => !sentences.some(([error]) => error.details['reason'] === reason));

describe('an error in MLflow’s words', () => {
  test.each(sentences)('%s', (error, sentence) => {
    expect(toMlflowMessage(error)).toBe(sentence);
    expect(error.message).not.toBe(sentence);
  });

  test('leaves only filter errors to the recorded answers of searches', () => {
    expect(untested.sort()).toEqual(Object.keys(searchWordings).sort());
  });

  test('is the platform’s own message where MLflow defines none', () => {
    expect(toMlflowMessage(registry.tooManyAliases({ limit: 9 }))).toBe(
      'A model has at most 9 aliases: delete one first.',
    );
    expect(toMlflowMessage(new AppError('NOT_FOUND', 'Gone.', { reason: 'constructor' }))).toBe('Gone.');
  });
});

test('a reason names one kind of error across all rooms', () => {
  const reasons = Object.values(rooms).flatMap((errors) => Object.keys(errors));
  expect(reasons.filter((reason, index) => reasons.indexOf(reason) !== index)).toEqual([]);
});
