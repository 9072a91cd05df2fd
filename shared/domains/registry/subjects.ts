import {
  defineSubject,
  fixedEntity,
  type SearchEntity,
  type SearchField,
} from '../../platform/search/subject.ts';
import type { FieldPath, Filter } from '../../platform/storage/documents.ts';

const text = (...path: [string, string]): SearchField => ({ path, type: 'string' });
const always = (field: SearchField): SearchField => ({ ...field, isAlways: true });
const number = (...path: [string, string]): SearchField => always({ path, type: 'number' });

const isPrompt: FieldPath = ['tags', 'mlflow.prompt.is_prompt'];

/** Models have no prompt tag: a filter for those that are no prompts must find them all the same. */
const tags: SearchEntity = {
  names: ['tag', 'tags'],
  fieldOf: (key) => ({
    path: ['tags', key],
    type: 'string',
    operators: ['=', '!=', 'LIKE', 'ILIKE'],
    ...(key === isPrompt[1] ? { missingIsDifferent: true, missingEquals: 'false' } : {}),
  }),
};

const name = always(text('model', 'name'));

/** `name` and tags; ordered by name unless asked otherwise. */
export const modelSubject = defineSubject({
  what: 'registered models',
  entities: [
    fixedEntity(
      ['attribute', 'attributes'],
      {
        name,
        creation_timestamp: number('model', 'createdAt'),
        last_updated_timestamp: number('model', 'updatedAt'),
      },
      { timestamp: 'last_updated_timestamp' },
    ),
    tags,
  ],
  defaultOrder: [{ field: name, direction: 'asc' }],
});

const version = {
  name: always(text('version', 'model')),
  version_number: number('version', 'version'),
  run_id: text('version', 'runId'),
  source_path: always(text('version', 'source')),
  creation_timestamp: number('version', 'createdAt'),
  last_updated_timestamp: number('version', 'updatedAt'),
} as const;

/** Across models. The newest change first, unless asked otherwise. */
export const versionSubject = defineSubject({
  what: 'model versions',
  entities: [fixedEntity(['attribute', 'attributes'], version), tags],
  defaultOrder: [
    { field: version.name, direction: 'asc' },
    { field: version.version_number, direction: 'desc' },
  ],
  orderWhenNone: [
    { field: version.last_updated_timestamp, direction: 'desc' },
    { field: version.name, direction: 'asc' },
    { field: version.version_number, direction: 'desc' },
  ],
  uniqueFields: 2,
});

/** Everything of a kind, but for prompts when the filter does not speak of them. */
export function scopeOf(kind: 'model' | 'version', filter: string | undefined): Filter {
  const isOfKind: Filter = { op: 'eq', path: ['kind'], value: kind };
  if (filter?.includes(isPrompt[1]!)) return isOfKind;
  return {
    op: 'and',
    filters: [
      isOfKind,
      {
        op: 'or',
        filters: [
          { op: 'not', filter: { op: 'exists', path: isPrompt } },
          { op: 'ne', path: isPrompt, value: 'true' },
        ],
      },
    ],
  };
}
