import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import type { Pace } from '../../platform/storage/optimistic.ts';
import { ExperimentService } from './experiments/service.ts';
import { Locator } from './locator.ts';
import { LoggedModels } from './logged-models/logged-models.ts';
import { RunLinksService } from './run-links.ts';
import { LostRuns } from './runs/lost-runs.ts';
import { RunService } from './runs/service.ts';
import { RunWriter } from './runs/writer.ts';
import { TrackingSearcher } from './search.ts';

/** Experiments, their runs and models, and what finds them. */
export interface Tracking {
  readonly experiments: ExperimentService;
  readonly runs: RunService;
  readonly runWriter: RunWriter;
  readonly locator: Locator;
  readonly search: TrackingSearcher;
  readonly lostRuns: LostRuns;
  readonly loggedModels: LoggedModels;
  readonly links: RunLinksService;
}

export function createTracking(outside: {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly pace: Pace;
  readonly runSilenceMinutes: number;
}): Tracking {
  const { store } = outside;
  const experiments = new ExperimentService(outside);
  const locator = new Locator(store);
  const runWriter = new RunWriter({ ...outside, locator });
  const loggedModels = new LoggedModels({
    ...outside,
    locator,
    getExperiment: (experimentId) => experiments.get(experimentId),
  });
  const runs = new RunService({
    ...outside,
    experiments,
    locator,
    writer: runWriter,
    modelMetrics: { record: (_, runId, metrics) => loggedModels.record(runId, metrics) },
  });
  const lostRuns = new LostRuns({ ...outside, writer: runWriter, silenceMinutes: outside.runSilenceMinutes });
  const links = new RunLinksService(store, runs);
  const search = new TrackingSearcher(store, experiments);
  return { experiments, runs, runWriter, locator, search, lostRuns, loggedModels, links };
}
