import {
  type SearchField,
  type SearchSubject,
  fixedEntity,
  metricEntity,
  textEntity,
} from '../../../platform/search/subject.ts';

const modelId: SearchField = { path: ['loggedModel', 'modelId'], type: 'string', isAlways: true };
const createdAt: SearchField = { path: ['loggedModel', 'createdAt'], type: 'number', isAlways: true };

/** Searches logged models: documents `{loggedModel, params, tags, metrics, nan}`. */
export const loggedModelSubject: SearchSubject = {
  what: 'logged models',
  entities: [
    fixedEntity(['attributes', 'attribute'], {
      modelId,
      experimentId: { path: ['loggedModel', 'experimentId'], type: 'string' },
      name: { path: ['loggedModel', 'name'], type: 'string' },
      modelType: { path: ['loggedModel', 'modelType'], type: 'string' },
      status: { path: ['loggedModel', 'status'], type: 'string' },
      sourceRunId: { path: ['loggedModel', 'sourceRunId'], type: 'string' },
      artifactLocation: { path: ['loggedModel', 'artifactLocation'], type: 'string' },
      createdAt,
      updatedAt: { path: ['loggedModel', 'updatedAt'], type: 'number' },
    }),
    metricEntity(['metrics', 'metric'], 'metrics', 'nan'),
    textEntity(['params', 'param'], 'params'),
    textEntity(['tags', 'tag'], 'tags'),
  ],
  defaultOrder: [
    { field: createdAt, direction: 'desc' },
    { field: modelId, direction: 'asc' },
  ],
};
