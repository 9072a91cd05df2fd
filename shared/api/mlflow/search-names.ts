import type { FieldNames } from '../../platform/search/subject.ts';

/*
 * MLflow's names for the attributes that searches compare and sort by, each with Slipway's own.
 *
 * @see https://github.com/mlflow/mlflow/blob/master/mlflow/utils/search_utils.py
 */

export const runNames = {
  keys: {
    run_id: 'runId',
    run_name: 'name',
    user_id: 'userId',
    status: 'status',
    artifact_uri: 'artifactUri',
    start_time: 'startTime',
    end_time: 'endTime',
  },
  aliases: {
    created: 'startTime',
    Created: 'startTime',
    'run name': 'name',
    'Run name': 'name',
    'Run Name': 'name',
  },
} as const satisfies FieldNames;

export const experimentNames = {
  keys: {
    name: 'name',
    experiment_id: 'experimentId',
    creation_time: 'createdAt',
    last_update_time: 'updatedAt',
  },
} as const satisfies FieldNames;

export const loggedModelNames = {
  keys: {
    model_id: 'modelId',
    experiment_id: 'experimentId',
    name: 'name',
    model_type: 'modelType',
    status: 'status',
    source_run_id: 'sourceRunId',
    artifact_location: 'artifactLocation',
    creation_timestamp_ms: 'createdAt',
    last_updated_timestamp_ms: 'updatedAt',
  },
  aliases: {
    creation_timestamp: 'createdAt',
    creation_time: 'createdAt',
    last_updated_timestamp: 'updatedAt',
  },
} as const satisfies FieldNames;

export const modelNames = {
  keys: { name: 'name', creation_timestamp: 'createdAt', last_updated_timestamp: 'updatedAt' },
  aliases: { timestamp: 'updatedAt' },
} as const satisfies FieldNames;

export const versionNames = {
  keys: {
    name: 'model',
    version_number: 'version',
    run_id: 'runId',
    source_path: 'source',
    creation_timestamp: 'createdAt',
    last_updated_timestamp: 'updatedAt',
  },
} as const satisfies FieldNames;
