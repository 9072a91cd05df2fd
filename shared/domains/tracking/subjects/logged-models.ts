import type { SearchField } from '../../../platform/search/subject.ts';
import { defineSubject, fixedEntity, metricEntity, textEntity } from '../../../platform/search/subject.ts';

const modelId: SearchField = { path: ['loggedModel', 'modelId'], type: 'string', isAlways: true };
const createdAt: SearchField = { path: ['loggedModel', 'createdAt'], type: 'number', isAlways: true };

/** Logged models: documents `{loggedModel, params, tags, metrics, nan}` as shared/domains/tracking keeps them. */
export const loggedModelSubject = defineSubject({
  what: 'logged models',
  entities: [
    fixedEntity(
      ['attributes', 'attribute'],
      {
        model_id: modelId,
        experiment_id: { path: ['loggedModel', 'experimentId'], type: 'string' },
        name: { path: ['loggedModel', 'name'], type: 'string' },
        model_type: { path: ['loggedModel', 'modelType'], type: 'string' },
        status: { path: ['loggedModel', 'status'], type: 'string' },
        source_run_id: { path: ['loggedModel', 'sourceRunId'], type: 'string' },
        artifact_location: { path: ['loggedModel', 'artifactLocation'], type: 'string' },
        creation_timestamp_ms: createdAt,
        last_updated_timestamp_ms: { path: ['loggedModel', 'updatedAt'], type: 'number' },
      },
      {
        creation_timestamp: 'creation_timestamp_ms',
        creation_time: 'creation_timestamp_ms',
        last_updated_timestamp: 'last_updated_timestamp_ms',
      },
    ),
    metricEntity(['metrics', 'metric'], 'metrics', 'nan'),
    textEntity(['params', 'param'], 'params'),
    textEntity(['tags', 'tag'], 'tags'),
  ],
  defaultOrder: [
    { field: createdAt, direction: 'desc' },
    { field: modelId, direction: 'asc' },
  ],
});
