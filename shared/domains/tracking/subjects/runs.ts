import type { SearchField } from '../../../platform/search/subject.ts';
import { defineSubject, fixedEntity, metricEntity, textEntity } from '../../../platform/search/subject.ts';

const runId: SearchField = { path: ['run', 'runId'], type: 'string', isAlways: true };
const startTime: SearchField = { path: ['run', 'startTime'], type: 'number', isAlways: true };

function namesOf(attribute: string): SearchField {
  return { path: ['datasets', attribute], type: 'string', isNames: true };
}

/** Runs: documents `{run, params, tags, metrics, nan, datasets}` as shared/domains/tracking keeps them. */
export const runSubject = defineSubject({
  what: 'runs',
  entities: [
    fixedEntity(
      ['attribute', 'attributes', 'attr', 'run'],
      {
        run_id: runId,
        run_name: { path: ['run', 'name'], type: 'string' },
        user_id: { path: ['run', 'userId'], type: 'string' },
        status: { path: ['run', 'status'], type: 'string' },
        artifact_uri: { path: ['run', 'artifactUri'], type: 'string' },
        start_time: startTime,
        end_time: { path: ['run', 'endTime'], type: 'number' },
      },
      {
        created: 'start_time',
        Created: 'start_time',
        'run name': 'run_name',
        'Run name': 'run_name',
        'Run Name': 'run_name',
      },
    ),
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
});
