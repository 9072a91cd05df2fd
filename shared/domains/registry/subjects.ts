import { mlflowTags } from '../../core/names/mlflow-names.ts';
import {
  fixedEntity,
  type SearchEntity,
  type SearchField,
  type SearchSubject,
} from '../../platform/search/subject.ts';
import type { FieldPath, Filter } from '../../platform/storage/documents.ts';

const text = (...path: [string, string]): SearchField => ({ path, type: 'string' });
const always = (field: SearchField): SearchField => ({ ...field, isAlways: true });
const number = (...path: [string, string]): SearchField => always({ path, type: 'number' });

const isPrompt: FieldPath = ['tags', mlflowTags.isPrompt];

/** Models lack the prompt tag: a filter that excludes prompts must find them. */
const tags: SearchEntity = {
  names: ['tag', 'tags'],
  fieldOf: (key) => ({
    path: ['tags', key],
    type: 'string',
    operators: ['=', '!=', 'LIKE', 'ILIKE'],
    ...(key === mlflowTags.isPrompt ? { missingIsDifferent: true, missingEquals: 'false' } : {}),
  }),
};

const name = always(text('model', 'name'));

/** Searches models; by default sorted by name. */
export const modelSubject: SearchSubject = {
  what: 'registered models',
  entities: [
    fixedEntity(['attribute', 'attributes'], {
      name,
      createdAt: number('model', 'createdAt'),
      updatedAt: number('model', 'updatedAt'),
    }),
    tags,
  ],
  defaultOrder: [{ field: name, direction: 'asc' }],
};

const version = {
  model: always(text('version', 'model')),
  version: number('version', 'version'),
  runId: text('version', 'runId'),
  source: always(text('version', 'source')),
  createdAt: number('version', 'createdAt'),
  updatedAt: number('version', 'updatedAt'),
} as const;

/** Searches versions across models; by default sorted by the latest change. */
export const versionSubject: SearchSubject = {
  what: 'model versions',
  entities: [fixedEntity(['attribute', 'attributes'], version), tags],
  defaultOrder: [
    { field: version.model, direction: 'asc' },
    { field: version.version, direction: 'desc' },
  ],
  orderWhenNone: [
    { field: version.updatedAt, direction: 'desc' },
    { field: version.model, direction: 'asc' },
    { field: version.version, direction: 'desc' },
  ],
  uniqueFields: 2,
};

/** All documents of a kind; prompts only if the filter mentions them. */
export function scopeOf(kind: 'model' | 'version', filter: string | undefined): Filter {
  const isOfKind: Filter = { op: 'compare', test: 'eq', path: ['kind'], value: kind };
  if (filter?.includes(mlflowTags.isPrompt)) return isOfKind;
  return {
    op: 'and',
    filters: [
      isOfKind,
      {
        op: 'or',
        filters: [
          { op: 'not', filter: { op: 'exists', path: isPrompt } },
          { op: 'compare', test: 'ne', path: isPrompt, value: 'true' },
        ],
      },
    ],
  };
}
