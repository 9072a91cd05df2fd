import {
  type SearchField,
  type SearchSubject,
  fixedEntity,
  textEntity,
} from '../../../platform/search/subject.ts';

const experimentId: SearchField = {
  path: ['experiment', 'experimentId'],
  type: 'string',
  operators: ['=', '!=', 'IN'],
  isAlways: true,
};
const createdAt: SearchField = { path: ['experiment', 'createdAt'], type: 'number', isAlways: true };

/** Searches experiments: documents `{experiment, tags}`. */
export const experimentSubject: SearchSubject = {
  what: 'experiments',
  entities: [
    fixedEntity(['attribute', 'attributes'], {
      name: { path: ['experiment', 'name'], type: 'string' },
      experimentId,
      createdAt,
      updatedAt: { path: ['experiment', 'updatedAt'], type: 'number' },
    }),
    textEntity(['tag', 'tags'], 'tags'),
  ],
  defaultOrder: [{ field: experimentId, direction: 'desc' }],
  orderWhenNone: [
    { field: createdAt, direction: 'desc' },
    { field: experimentId, direction: 'asc' },
  ],
};
