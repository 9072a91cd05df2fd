import type { ErrorWordings } from '../../../core/error-kinds.ts';
import type { NameOwner, registryErrors } from '../../../domains/registry/errors.ts';
import { badCharacters, badPath, invalidValue, tooLong } from './parts.ts';

const fields = {
  name: 'name',
  alias: 'Registered model alias name',
  tagKey: 'key',
  tagValue: 'value',
  description: 'description',
  source: 'source',
} as const;

const owners = { model: 'Registered Model', prompt: 'Prompt' } as const satisfies Record<NameOwner, string>;

const invalidSource = (source: string, why: string) => `Invalid model version source: '${source}'. ${why}`;

/** @see https://github.com/mlflow/mlflow/blob/master/mlflow/store/model_registry/sqlalchemy_store.py */
export const registryWordings: ErrorWordings<typeof registryErrors> = {
  modelMissing: ({ model }) => `Registered Model with name=${model} not found`,
  versionMissing: ({ model, version }) => `Model Version (name=${model}, version=${version}) not found`,
  stageEmpty: ({ model }) => `Latest version not found for model ${model}.`,
  sourceRunMissing: ({ runId }) => `Run with id=${runId} not found`,
  nameTaken: ({ name, owner, wanted }) =>
    owner === wanted
      ? `${owners[owner]} (name=${name}) already exists.`
      : `Tried to create a ${owners[wanted].toLowerCase()} with name '${name}', but the name is already taken by a ${owners[owner].toLowerCase()}. A model and a prompt cannot have the same name.`,

  nameEmpty: ({ isNew }) => `Missing value for required parameter '${isNew ? 'new_name' : 'name'}'.`,
  nameHasSeparator: ({ name }) => `Invalid model name '${name}'. Names cannot contain '/' or ':'.`,
  nameIsPath: ({ name }) => invalidValue('name', name, badPath),
  aliasEmpty: () => 'Registered model alias name cannot be empty.',
  aliasHasBadCharacters: ({ alias }) =>
    `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`,
  aliasReserved: ({ alias, isVersion }) =>
    isVersion
      ? `Version alias name '${alias}' is reserved.`
      : "'latest' alias name (case insensitive) is reserved.",
  tagKeyHasBadCharacters: ({ key }) => invalidValue('key', key, badCharacters),
  tagKeyIsPath: ({ key }) => invalidValue('key', key, badPath),
  promptTooLong: ({ maxCharacters }) => `Prompt text exceeds max length of ${maxCharacters} characters.`,
  fieldTooLong: ({ field, maxCharacters }) => tooLong(fields[field], maxCharacters),
  stageUnknown: ({ stage, stages }) =>
    `Invalid Model Version stage: ${stage}. Value must be one of ${stages.join(', ')}.`,
  stageNotArchivable: ({ stage }) =>
    `Model version transition cannot archive existing model versions because '${stage}' is not an Active stage. Valid stages are ['Staging', 'Production']`,

  sourceHasHost: ({ source }) =>
    `${source} is not a valid remote uri. Upload the model as an artifact and name that.`,
  sourceIsLocal: ({ source }) =>
    invalidSource(
      source,
      'To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.',
    ),
  sourceIsRelative: ({ source }) =>
    invalidSource(
      source,
      'If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.',
    ),
  modelUriInvalid: ({ source }) =>
    invalidSource(
      source,
      "A models:/ URI is 'models:/name/version', 'models:/name@alias' or 'models:/<model id>'.",
    ),
  sourceNotOfModel: ({ source }) =>
    invalidSource(
      source,
      'The model_id request parameter must identify the resource that contains the source.',
    ),
  sourceIsPrompt: ({ source }) =>
    invalidSource(source, 'Prompt versions cannot be used as model version sources.'),
};
