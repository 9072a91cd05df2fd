import { isAppError } from '../../../core/errors.ts';
import { metadataContainers } from '../../../core/names/resources.ts';
import { type Found, type Search, searchDocuments, toFound } from '../../../platform/search/search.ts';
import {
  type FieldNames,
  findField,
  type OrderTerm,
  type SearchEntity,
  type SearchField,
  type SearchSubject,
  withNames,
} from '../../../platform/search/subject.ts';
import type { Filter, MetadataStore } from '../../../platform/storage/documents.ts';
import { trackingErrors } from '../errors.ts';
import { among } from '../search.ts';
import { loggedModelSubject } from '../subjects/logged-models.ts';
import { datasetPath, type LoggedModelBody, metricPath, toLoggedModel } from './documents.ts';
import type { DatasetFilter, LoggedModel } from './entities.ts';

export interface LoggedModelSearch extends Omit<Search, 'orderBy'> {
  readonly experimentIds: readonly string[];
  /** Restricts metrics in the filter to these datasets, and models to those with a metric on any of them. */
  readonly datasets?: readonly DatasetFilter[];
  readonly orderBy?: readonly LoggedModelOrder[];
}

export interface LoggedModelOrder {
  /** An attribute, or `metrics.<key>`. */
  readonly field: string;
  readonly direction: 'asc' | 'desc';
  /** Sorts by the metric's values on this dataset. */
  readonly dataset?: DatasetFilter;
}

const maxDatasets = 20;

/** @throws INVALID_ARGUMENT for an invalid filter, order or token */
export async function searchLoggedModels(
  store: MetadataStore,
  request: LoggedModelSearch,
): Promise<Found<LoggedModel>> {
  const { experimentIds, datasets = [], orderBy = [], ...search } = request;
  if (datasets.length > maxDatasets) throw trackingErrors.tooManySearchedDatasets({ limit: maxDatasets });
  const ids = [...new Set(experimentIds)].sort();
  if (ids.length === 0) return { items: [] };
  const page = await searchDocuments<LoggedModelBody>(store, {
    ...search,
    container: metadataContainers.tracking,
    ...(ids.length === 1 ? { partition: ids[0]! } : {}),
    scope: scopeOf(ids, datasets),
    subject: onDatasets(loggedModelSubject, datasets),
    orderBy: orderBy.map((order) => toOrderTerm(order, search.names ?? {})),
  });
  return toFound(page, toLoggedModel);
}

function scopeOf(experimentIds: readonly string[], datasets: readonly DatasetFilter[]): Filter {
  const filters: Filter[] = [
    { op: 'compare', test: 'eq', path: ['kind'], value: 'loggedModel' },
    { op: 'compare', test: 'eq', path: ['loggedModel', 'lifecycleStage'], value: 'active' },
    among(['loggedModel', 'experimentId'], experimentIds),
  ];
  if (datasets.length > 0)
    filters.push({
      op: 'or',
      filters: datasets.map((dataset) => ({ op: 'exists', path: datasetPath(dataset) })),
    });
  return { op: 'and', filters };
}

/** The subject with its metrics restricted to those on the datasets. */
function onDatasets(subject: SearchSubject, datasets: readonly DatasetFilter[]): SearchSubject {
  if (datasets.length === 0) return subject;
  const restrict = (entity: SearchEntity): SearchEntity => ({
    ...entity,
    fieldOf: (key) => {
      const field = entity.fieldOf(key);
      if (field?.nanPath === undefined) return field;
      const [first, ...others] = datasets.map((dataset) => onDataset(field, dataset));
      return others.length === 0 ? first : { ...first!, alternatives: others };
    },
  });
  const [first, ...others] = subject.entities;
  return { ...subject, entities: [restrict(first), ...others.map(restrict)] };
}

function onDataset(field: SearchField, dataset: DatasetFilter | undefined): SearchField {
  return {
    ...field,
    path: metricPath(field.path, dataset),
    ...(field.nanPath === undefined ? {} : { nanPath: metricPath(field.nanPath, dataset) }),
  };
}

/** @throws INVALID_ARGUMENT */
function toOrderTerm({ field: name, direction, dataset }: LoggedModelOrder, names: FieldNames): OrderTerm {
  const dot = name.indexOf('.');
  if (dot < 0) return { field: attributeOf(name, names), direction };
  const entity = name.slice(0, dot);
  if (entity !== 'metrics' && entity !== 'metric') throw trackingErrors.modelOrderNotMetric({ field: name });
  const field = findField(loggedModelSubject, entity, unquote(name.slice(dot + 1)));
  if (field === undefined) throw trackingErrors.modelOrderInvalid({ field: name });
  return { field: onDataset(field, dataset), direction };
}

function attributeOf(name: string, names: FieldNames): SearchField {
  try {
    const field = findField(withNames(loggedModelSubject, names), undefined, name);
    if (field !== undefined) return field;
  } catch (error) {
    if (!isAppError(error, 'INVALID_ARGUMENT')) throw error;
  }
  throw trackingErrors.modelOrderInvalid({ field: name });
}

function unquote(key: string): string {
  return /^(["`]).*\1$/.test(key) ? key.slice(1, -1) : key;
}
