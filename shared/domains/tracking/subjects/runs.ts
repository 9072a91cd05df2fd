import {
  type SearchField,
  type SearchSubject,
  fixedEntity,
  metricEntity,
  textEntity,
} from '../../../platform/search/subject.ts';

const runId: SearchField = { path: ['run', 'runId'], type: 'string', isAlways: true };
const startTime: SearchField = { path: ['run', 'startTime'], type: 'number', isAlways: true };

function namesOf(attribute: string): SearchField {
  return { path: ['datasets', attribute], type: 'string', isNames: true };
}

/** Searches runs: documents `{run, params, tags, metrics, nan, datasets}`. */
export const runSubject: SearchSubject = {
  what: 'runs',
  entities: [
    fixedEntity(['attribute', 'attributes', 'attr', 'run'], {
      runId,
      name: { path: ['run', 'name'], type: 'string' },
      userId: { path: ['run', 'userId'], type: 'string' },
      status: { path: ['run', 'status'], type: 'string' },
      artifactUri: { path: ['run', 'artifactUri'], type: 'string' },
      startTime,
      endTime: { path: ['run', 'endTime'], type: 'number' },
    }),
    metricEntity(['metric', 'metrics'], 'metrics', 'nan'),
    textEntity(['parameter', 'parameters', 'param', 'params'], 'params'),
    textEntity(['tag', 'tags'], 'tags'),
    fixedEntity(['dataset', 'datasets'], {
      name: namesOf('name'),
      digest: namesOf('digest'),
      context: namesOf('context'),
    }),
  ],
  defaultOrder: [
    { field: startTime, direction: 'desc' },
    { field: runId, direction: 'asc' },
  ],
};
