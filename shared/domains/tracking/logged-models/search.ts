import { AppError } from '../../../core/errors.ts';
import { metadataContainers } from '../../../core/names.ts';
import { searchDocuments } from '../../../platform/search/search.ts';
import type { OrderTerm, SearchField, SearchSubject } from '../../../platform/search/subject.ts';
import type { FieldPath, Filter, MetadataStore } from '../../../platform/storage/documents.ts';
import { loggedModelSubject } from '../subjects/logged-models.ts';
import { datasetPath, type LoggedModelBody, metricsRoot, toLoggedModel } from './documents.ts';
import type { DatasetFilter, LoggedModel } from './entities.ts';

export interface LoggedModelSearch {
  readonly experimentIds: readonly string[];
  readonly filter?: string | undefined;
  /** Metrics in the filter are those measured on any of these, and models without any of them are left out. */
  readonly datasets?: readonly DatasetFilter[];
  readonly orderBy?: readonly LoggedModelOrder[];
  readonly limit: number;
  readonly pageToken?: string | undefined;
}

export interface LoggedModelOrder {
  /** An attribute, or `metrics.<key>`. */
  readonly field: string;
  readonly direction: 'asc' | 'desc';
  /** Which measurements of the metric count. */
  readonly dataset?: DatasetFilter;
}

export interface LoggedModelPage {
  readonly models: readonly LoggedModel[];
  readonly pageToken?: string;
}

const maxDatasets = 20;
/** So many values a condition may list. */
const maxValues = 500;

/** @throws INVALID_ARGUMENT for a filter, an order or a token that is not right */
export async function searchLoggedModels(
  store: MetadataStore,
  search: LoggedModelSearch,
): Promise<LoggedModelPage> {
  const { experimentIds, filter, datasets = [], orderBy = [], limit, pageToken } = search;
  if (datasets.length > maxDatasets)
    throw new AppError('INVALID_ARGUMENT', `A search names at most ${maxDatasets} datasets.`);
  const ids = [...new Set(experimentIds)].sort();
  if (ids.length === 0) return { models: [] };
  const page = await searchDocuments<LoggedModelBody>(store, {
    container: metadataContainers.tracking,
    ...(ids.length === 1 ? { partition: ids[0]! } : {}),
    scope: scopeOf(ids, datasets),
    subject: onDatasets(loggedModelSubject, datasets),
    ...(filter === undefined ? {} : { filter }),
    orderBy: orderBy.map(toOrderTerm),
    limit,
    ...(pageToken === undefined ? {} : { pageToken }),
  });
  const models = page.documents.map(({ body }) => toLoggedModel(body));
  return page.pageToken === undefined ? { models } : { models, pageToken: page.pageToken };
}

function scopeOf(experimentIds: readonly string[], datasets: readonly DatasetFilter[]): Filter {
  const filters: Filter[] = [
    { op: 'eq', path: ['kind'], value: 'loggedModel' },
    { op: 'eq', path: ['loggedModel', 'lifecycleStage'], value: 'active' },
    among(experimentIds),
  ];
  if (datasets.length > 0)
    filters.push({
      op: 'or',
      filters: datasets.map((dataset) => ({ op: 'exists', path: datasetPath(dataset) })),
    });
  return { op: 'and', filters };
}

function among(experimentIds: readonly string[]): Filter {
  const path = ['loggedModel', 'experimentId'] as const;
  if (experimentIds.length === 1) return { op: 'eq', path, value: experimentIds[0]! };
  const filters: Filter[] = [];
  for (let start = 0; start < experimentIds.length; start += maxValues)
    filters.push({ op: 'in', path, values: experimentIds.slice(start, start + maxValues) });
  return filters.length === 1 ? filters[0]! : { op: 'or', filters };
}

/** The subject with its metrics read where those of the datasets are. */
function onDatasets(subject: SearchSubject, datasets: readonly DatasetFilter[]): SearchSubject {
  if (datasets.length === 0) return subject;
  return {
    ...subject,
    fieldOf: (entity, key) => {
      const field = subject.fieldOf(entity, key);
      if (field?.nanPath === undefined) return field;
      const [first, ...others] = datasets.map((dataset) => onDataset(field, dataset));
      return others.length === 0 ? first : { ...first!, alternatives: others };
    },
  };
}

function onDataset(field: SearchField, dataset: DatasetFilter | undefined): SearchField {
  const root = metricsRoot(dataset);
  const below = (path: FieldPath) => [...root, ...path] as unknown as FieldPath;
  return {
    ...field,
    path: below(field.path),
    ...(field.nanPath === undefined ? {} : { nanPath: below(field.nanPath) }),
  };
}

/** @throws INVALID_ARGUMENT in MLflow's words */
function toOrderTerm({ field: name, direction, dataset }: LoggedModelOrder): OrderTerm {
  const dot = name.indexOf('.');
  const entity = dot < 0 ? undefined : name.slice(0, dot);
  const key = name.slice(dot + 1);
  if (entity === undefined) return { field: attributeOf(key), direction };
  if (entity !== 'metrics' && entity !== 'metric')
    throw new AppError(
      'INVALID_ARGUMENT',
      `Invalid order by field name: ${name}. Only metrics are supported.`,
    );
  const field = loggedModelSubject.fieldOf(entity, unquote(key));
  if (field === undefined) throw new AppError('INVALID_ARGUMENT', `Invalid order by field name: ${name}`);
  return { field: onDataset(field, dataset), direction };
}

function attributeOf(name: string): SearchField {
  try {
    const field = loggedModelSubject.fieldOf(undefined, name);
    if (field !== undefined) return field;
  } catch (cause) {
    throw new AppError('INVALID_ARGUMENT', `Invalid order by field name: ${name}`, {}, cause);
  }
  throw new AppError('INVALID_ARGUMENT', `Invalid order by field name: ${name}`);
}

function unquote(key: string): string {
  return /^(["`]).*\1$/.test(key) ? key.slice(1, -1) : key;
}
