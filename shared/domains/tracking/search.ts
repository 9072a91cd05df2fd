import { AppError } from '../../core/errors.ts';
import { metadataContainers } from '../../core/names.ts';
import { type Found, searchDocuments, toFound } from '../../platform/search/search.ts';
import type { Filter, MetadataStore } from '../../platform/storage/documents.ts';
import { type ExperimentBody, type RunBody, toExperiment, toRun } from './documents.ts';
import type { Experiment, LifecycleStage, Run } from './entities.ts';
import type { ExperimentService } from './experiments/service.ts';
import { experimentSubject } from './subjects/experiments.ts';
import { runSubject } from './subjects/runs.ts';

/** Which lifecycle stages are asked for. */
export type View = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL';

export interface TrackingSearch {
  readonly view: View;
  readonly filter?: string | undefined;
  readonly orderBy?: readonly string[] | undefined;
  readonly limit: number;
  readonly pageToken?: string | undefined;
}

const maxResults = 50_000;
/** So many values a condition may list. */
const maxValues = 500;
const container = metadataContainers.tracking;

/** Finds experiments and runs. */
export class TrackingSearcher {
  readonly #store: MetadataStore;
  readonly #experiments: Pick<ExperimentService, 'ensureDefault' | 'readStages'>;

  constructor(store: MetadataStore, experiments: Pick<ExperimentService, 'ensureDefault' | 'readStages'>) {
    this.#store = store;
    this.#experiments = experiments;
  }

  /** @throws INVALID_ARGUMENT */
  async searchExperiments(request: TrackingSearch): Promise<Found<Experiment>> {
    checkLimit(request.limit);
    await this.#experiments.ensureDefault();
    const kind: Filter = { op: 'eq', path: ['kind'], value: 'experiment' };
    const stage = ['experiment', 'lifecycleStage'] as const;
    const page = await searchDocuments<ExperimentBody>(this.#store, {
      container,
      scope: {
        op: 'and',
        filters:
          request.view === 'ALL' ? [kind] : [kind, { op: 'eq', path: stage, value: stageOf(request.view) }],
      },
      subject: experimentSubject,
      ...toQuery(request),
    });
    return toFound(page, (body) => toExperiment(body));
  }

  /**
   * Runs of the experiments given, none of which need exist. Whether an experiment is deleted decides with the run's own
   * stage whether the run is.
   *
   * @throws INVALID_ARGUMENT
   */
  async searchRuns(experimentIds: readonly string[], request: TrackingSearch): Promise<Found<Run>> {
    checkLimit(request.limit);
    const stages = await this.#experiments.readStages(experimentIds);
    const scope = toScope(stages, request.view);
    const [only] = stages.keys();
    const page = await searchDocuments<RunBody>(this.#store, {
      container,
      ...(stages.size === 1 ? { partition: only! } : {}),
      scope: { op: 'and', filters: [{ op: 'eq', path: ['kind'], value: 'run' }, ...scope] },
      subject: runSubject,
      ...toQuery(request),
    });
    return toFound(page, (body) =>
      toRun(body, { lifecycleStage: stages.get(body.run.experimentId) ?? 'active' }),
    );
  }
}

function toScope(stages: ReadonlyMap<string, LifecycleStage>, view: View): readonly Filter[] {
  const ids = (stage: LifecycleStage) => [...stages].filter((entry) => entry[1] === stage).map(([id]) => id);
  const ofActive = among(ids('active'));
  const ofDeleted = among(ids('deleted'));
  const own = (stage: LifecycleStage): Filter => ({
    op: 'eq',
    path: ['run', 'lifecycleStage'],
    value: stage,
  });
  switch (view) {
    case 'ACTIVE_ONLY':
      return [ofActive, own('active')];
    case 'DELETED_ONLY':
      if (ids('deleted').length === 0) return [ofActive, own('deleted')];
      return [{ op: 'or', filters: [ofDeleted, { op: 'and', filters: [ofActive, own('deleted')] }] }];
    case 'ALL':
      return [among([...stages.keys()])];
  }
}

function among(experimentIds: readonly string[]): Filter {
  const path = ['run', 'experimentId'] as const;
  if (experimentIds.length === 1) return { op: 'eq', path, value: experimentIds[0]! };
  const filters: Filter[] = [];
  for (let start = 0; start < experimentIds.length; start += maxValues)
    filters.push({ op: 'in', path, values: experimentIds.slice(start, start + maxValues) });
  if (filters.length === 1) return filters[0]!;
  return filters.length === 0 ? { op: 'in', path, values: [] } : { op: 'or', filters };
}

function toQuery({ filter, orderBy, limit, pageToken }: TrackingSearch) {
  return {
    ...(filter === undefined ? {} : { filter }),
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(pageToken ? { pageToken } : {}),
    limit,
  };
}

function stageOf(view: Exclude<View, 'ALL'>): LifecycleStage {
  return view === 'ACTIVE_ONLY' ? 'active' : 'deleted';
}

function checkLimit(limit: number): void {
  if (limit >= 1 && limit <= maxResults) return;
  throw new AppError(
    'INVALID_ARGUMENT',
    `Invalid value ${limit} for parameter 'max_results' supplied. It must be ${limit < 1 ? 'a positive integer' : `at most ${maxResults}`}.`,
  );
}
