import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { AuditedWriter } from '../../platform/audit/audited-writer.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import { ExperimentService } from './experiments/service.ts';
import { Locator } from './locator.ts';
import { LoggedModels } from './logged-models/logged-models.ts';
import { RunLinksService } from './run-links.ts';
import { LostRuns } from './runs/lost-runs.ts';
import { RunService } from './runs/service.ts';
import { RunWriter } from './runs/writer.ts';
import { TrackingSearcher } from './search.ts';

/** The services of experiment tracking. */
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

export interface TrackingDeps {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** How long a RUNNING run may be silent. */
  readonly runSilenceMinutes: number;
}

export function createTracking(deps: TrackingDeps): Tracking {
  const { store } = deps;
  const experiments = new ExperimentService(deps);
  const locator = new Locator(store);
  const runWriter = new RunWriter({ ...deps, locator });
  const loggedModels = new LoggedModels({ ...deps, locator, experiments });
  const runs = new RunService({ ...deps, experiments, locator, writer: runWriter, loggedModels });
  const lostRuns = new LostRuns({ ...deps, writer: runWriter, silenceMinutes: deps.runSilenceMinutes });
  const links = new RunLinksService(store, runs);
  const search = new TrackingSearcher(store, experiments);
  return { experiments, runs, runWriter, locator, search, lostRuns, loggedModels, links };
}
