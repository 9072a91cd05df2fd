import type { SearchField } from '../../../platform/search/subject.ts';
import { defineSubject, fixedEntity, textEntity } from '../../../platform/search/subject.ts';

const experimentId: SearchField = {
  path: ['experiment', 'experimentId'],
  type: 'string',
  operators: ['=', '!=', 'IN'],
  isAlways: true,
};
const createdAt: SearchField = { path: ['experiment', 'createdAt'], type: 'number', isAlways: true };

/** Experiments: documents `{experiment, tags}` as shared/domains/tracking keeps them. */
export const experimentSubject = defineSubject({
  what: 'experiments',
  entities: [
    fixedEntity(['attribute', 'attributes'], {
      name: { path: ['experiment', 'name'], type: 'string' },
      experiment_id: experimentId,
      creation_time: createdAt,
      last_update_time: { path: ['experiment', 'updatedAt'], type: 'number' },
    }),
    textEntity(['tag', 'tags'], 'tags'),
  ],
  defaultOrder: [{ field: experimentId, direction: 'desc' }],
  orderWhenNone: [
    { field: createdAt, direction: 'desc' },
    { field: experimentId, direction: 'asc' },
  ],
});
