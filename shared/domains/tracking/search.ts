import { metadataContainers } from '../../core/names/resources.ts';
import { type Found, type Search, searchDocuments, toFound } from '../../platform/search/search.ts';
import type { FieldPath, Filter, MetadataStore } from '../../platform/storage/documents.ts';
import { type ExperimentBody, type RunBody, toExperiment, toRun } from './documents.ts';
import type { Experiment, LifecycleStage, Run } from './entities.ts';
import { trackingErrors } from './errors.ts';
import type { ExperimentService } from './experiments/service.ts';
import { experimentSubject } from './subjects/experiments.ts';
import { runSubject } from './subjects/runs.ts';

export interface TrackingSearch extends Search {
  readonly stage: LifecycleStage | 'all';
}

const maxLimit = 50_000;
/** Values of one condition. */
const maxValues = 500;
const container = metadataContainers.tracking;

/** Searches experiments and runs. */
export class TrackingSearcher {
  readonly #store: MetadataStore;
  readonly #experiments: Pick<ExperimentService, 'ensureDefault' | 'readStages'>;

  constructor(store: MetadataStore, experiments: Pick<ExperimentService, 'ensureDefault' | 'readStages'>) {
    this.#store = store;
    this.#experiments = experiments;
  }

  /** @throws INVALID_ARGUMENT */
  async searchExperiments({ stage, ...search }: TrackingSearch): Promise<Found<Experiment>> {
    checkLimit(search.limit);
    await this.#experiments.ensureDefault();
    const kind: Filter = { op: 'compare', test: 'eq', path: ['kind'], value: 'experiment' };
    const ofStage: Filter = {
      op: 'compare',
      test: 'eq',
      path: ['experiment', 'lifecycleStage'],
      value: stage,
    };
    const page = await searchDocuments<ExperimentBody>(this.#store, {
      ...search,
      container,
      scope: { op: 'and', filters: stage === 'all' ? [kind] : [kind, ofStage] },
      subject: experimentSubject,
    });
    return toFound(page, toExperiment);
  }

  /**
   * Searches runs of experiments; unknown experiments have no runs. A run counts as deleted when it or its experiment
   * is.
   *
   * @throws INVALID_ARGUMENT
   */
  async searchRuns(
    experimentIds: readonly string[],
    { stage, ...search }: TrackingSearch,
  ): Promise<Found<Run>> {
    checkLimit(search.limit);
    const stages = await this.#experiments.readStages(experimentIds);
    const [only] = stages.keys();
    const page = await searchDocuments<RunBody>(this.#store, {
      ...search,
      container,
      ...(stages.size === 1 ? { partition: only! } : {}),
      scope: {
        op: 'and',
        filters: [{ op: 'compare', test: 'eq', path: ['kind'], value: 'run' }, ...toScope(stages, stage)],
      },
      subject: runSubject,
    });
    return toFound(page, (body) =>
      toRun(body, { lifecycleStage: stages.get(body.run.experimentId) ?? 'active' }),
    );
  }
}

function toScope(
  stages: ReadonlyMap<string, LifecycleStage>,
  stage: TrackingSearch['stage'],
): readonly Filter[] {
  const ids = (of: LifecycleStage) => [...stages].filter((entry) => entry[1] === of).map(([id]) => id);
  const inExperiments = (some: readonly string[]) => among(['run', 'experimentId'], some);
  const own = (value: LifecycleStage): Filter => ({
    op: 'compare',
    test: 'eq',
    path: ['run', 'lifecycleStage'],
    value,
  });
  const ofActive = inExperiments(ids('active'));
  switch (stage) {
    case 'active':
      return [ofActive, own('active')];
    case 'deleted':
      if (ids('deleted').length === 0) return [ofActive, own('deleted')];
      return [
        {
          op: 'or',
          filters: [inExperiments(ids('deleted')), { op: 'and', filters: [ofActive, own('deleted')] }],
        },
      ];
    case 'all':
      return [inExperiments([...stages.keys()])];
  }
}

/** Selects documents with one of many values at a path. */
export function among(path: FieldPath, values: readonly string[]): Filter {
  if (values.length === 1) return { op: 'compare', test: 'eq', path, value: values[0]! };
  const filters: Filter[] = [];
  for (let start = 0; start < values.length; start += maxValues)
    filters.push({ op: 'in', path, values: values.slice(start, start + maxValues) });
  if (filters.length === 1) return filters[0]!;
  return filters.length === 0 ? { op: 'in', path, values: [] } : { op: 'or', filters };
}

function checkLimit(limit: number): void {
  if (limit < 1 || limit > maxLimit) throw trackingErrors.limitOutOfRange({ limit, maxLimit });
}
