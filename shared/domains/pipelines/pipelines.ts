import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { MetadataStore } from '../../platform/storage/documents.ts';
import type { MessageQueue } from '../../platform/storage/queue.ts';
import { definitions, steps } from './catalog.ts';
import { Declarations } from './declarations.ts';
import type { StepCall, StepOutcome } from './orchestrate.ts';
import { RunControl } from './run-control.ts';
import { runStep } from './run-step.ts';
import { RunStore } from './run-store.ts';
import { Runs } from './runs.ts';
import type { StepServices } from './steps/services.ts';
import { type DatasetVersions, Triggers } from './triggers.ts';

export interface PipelinesDeps {
  readonly store: MetadataStore;
  readonly queue: Pick<MessageQueue, 'send'>;
  readonly versions: DatasetVersions;
  /** What steps work with. */
  readonly services: StepServices;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface PipelinesOptions {
  readonly codeVersion: string;
}

/** The services of pipelines. */
export interface Pipelines {
  readonly declarations: Declarations;
  readonly runs: Runs;
  readonly triggers: Triggers;
  readonly control: RunControl;
  /** Does one step of a run: the body of the generic activity. Never throws. */
  runStep(call: StepCall, logger: Logger): Promise<StepOutcome>;
}

export function createPipelines(deps: PipelinesDeps, options: PipelinesOptions): Pipelines {
  const { clock, ids, queue, services, versions } = deps;
  const store = new RunStore({ store: deps.store, clock, ids });
  const catalog = { steps, definitions };
  const declarations = new Declarations({ store, catalog, clock });
  const runs = new Runs({ store, queue, catalog, clock }, options);
  return {
    declarations,
    runs,
    triggers: new Triggers({ store, declarations, runs, versions, clock, ids }),
    control: new RunControl({ store, runs }),
    runStep: (call, logger) => runStep(call, { store, steps, services, clock, ...options }, logger),
  };
}
