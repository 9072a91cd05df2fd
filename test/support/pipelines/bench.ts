import { queues } from '../../../shared/core/names/resources.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { Declarations } from '../../../shared/domains/pipelines/declarations.ts';
import type { EngineStatus, PipelineEngine } from '../../../shared/domains/pipelines/engine.ts';
import type { Run } from '../../../shared/domains/pipelines/entities.ts';
import type { Catalog } from '../../../shared/domains/pipelines/planning/plan-pipeline.ts';
import { RunControl } from '../../../shared/domains/pipelines/run-control.ts';
import { RunStore } from '../../../shared/domains/pipelines/run-store.ts';
import { Runs } from '../../../shared/domains/pipelines/runs.ts';
import { Triggers } from '../../../shared/domains/pipelines/triggers.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { OutgoingMessage } from '../../../shared/platform/storage/queue.ts';
import { system } from '../stores.ts';

/** Records each start; starts nothing. */
export class RecordingEngine implements PipelineEngine {
  readonly started: string[] = [];
  /** Fails the next calls, one each. */
  readonly failures: Error[] = [];
  readonly terminated: string[] = [];
  /** The engine's status of a run, instead of `running`. */
  readonly statuses = new Map<string, EngineStatus>();

  async start(runId: string): Promise<void> {
    this.#fail();
    this.started.push(runId);
  }

  async status(runId: string): Promise<EngineStatus | undefined> {
    return this.statuses.get(runId) ?? (this.started.includes(runId) ? 'running' : undefined);
  }

  async terminate(runId: string): Promise<void> {
    this.#fail();
    this.terminated.push(runId);
  }

  #fail(): void {
    const failure = this.failures.shift();
    if (failure) throw failure;
  }
}

export interface PipelineBench {
  readonly store: RunStore;
  readonly declarations: Declarations;
  readonly runs: Runs;
  readonly triggers: Triggers;
  readonly control: RunControl;
  readonly engine: RecordingEngine;
  /** The unhandled messages of the queue `runs`. */
  readonly sent: OutgoingMessage[];
  /** Fails the next sends, one each. */
  readonly sendFailures: Error[];
  /** The newest version of each dataset. */
  readonly latest: Map<string, number>;
  /** Handles all messages, as the function of the queue does; a failed message stays at the head. */
  deliver(): Promise<void>;
  /** The runs that reached the engine, in order. */
  started(): Promise<readonly Run[]>;
}

/** The services of pipelines over a store, with a queue and an engine that tests inspect. */
export function createPipelineBench(documents: MetadataStore, catalog: Catalog): PipelineBench {
  const store = new RunStore({ store: documents, ...system });
  const engine = new RecordingEngine();
  const sent: OutgoingMessage[] = [];
  const sendFailures: Error[] = [];
  const latest = new Map<string, number>();
  const queue = {
    send: async (destination: string, messages: readonly OutgoingMessage[]) => {
      if (destination !== queues.runs) throw new Error(`an unexpected message to ${destination}`);
      const failure = sendFailures.shift();
      if (failure) throw failure;
      sent.push(...messages);
    },
  };
  const { clock, ids } = system;
  const declarations = new Declarations({ store, catalog, clock });
  const runs = new Runs({ store, queue, catalog, clock }, { codeVersion: '1.0.0+abc' });
  const versions = {
    find: async (dataset: string, version: string) =>
      version === 'latest' ? (latest.get(dataset) ?? 0) : Number(version),
    findLatest: async (dataset: string) => latest.get(dataset),
  };
  const control = new RunControl({ store, runs });
  return {
    store,
    declarations,
    runs,
    triggers: new Triggers({ store, declarations, runs, versions, clock, ids }),
    control,
    engine,
    sent,
    sendFailures,
    latest,
    deliver: async () => {
      for (let message = sent[0]; message; message = sent[0]) {
        await control.handle(message.body, engine, silentLogger);
        sent.shift();
      }
    },
    started: () => Promise.all(engine.started.map((runId) => store.getRun(runId))),
  };
}
