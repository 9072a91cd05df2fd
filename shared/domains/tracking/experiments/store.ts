import type { Clock } from '../../../core/clock.ts';
import type { Ids } from '../../../core/ids.ts';
import type { AppError } from '../../../core/errors.ts';
import type { JsonValue } from '../../../core/json/json.ts';
import { metadataContainers } from '../../../core/names/resources.ts';
import { type AuditEntry, auditOperation, toAuditEvent } from '../../../platform/audit/event.ts';
import type { BatchOperation, MetadataStore, StoredDocument } from '../../../platform/storage/documents.ts';
import { retryConflicts } from '../../../platform/storage/optimistic.ts';
import { eachDocument } from '../../../platform/storage/page.ts';
import { type ExperimentBody, experimentKey, toExperiment, toExperimentBody } from '../documents.ts';
import type { Experiment } from '../entities.ts';
import { trackingErrors } from '../errors.ts';
import { ExperimentNames } from './names.ts';
import { StageCache } from './stage-cache.ts';

export interface ExperimentDeps {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** The experiment after a change, and the event that records it. */
export interface ExperimentChange {
  readonly next: Experiment;
  readonly action: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
  /** The name to take with it. */
  readonly takesName?: string;
}

const { tracking } = metadataContainers;
const idPattern = /^[a-zA-Z0-9][\w-]{0,63}$/;

/** Stores experiments: one document each, written together with its event and, if it takes a name, under a claim. */
export class ExperimentStore {
  readonly names: ExperimentNames;
  readonly stages: StageCache;
  readonly #deps: ExperimentDeps;

  constructor(deps: ExperimentDeps) {
    this.#deps = deps;
    this.names = new ExperimentNames(deps.store);
    this.stages = new StageCache(deps.clock);
  }

  /** @returns undefined when there is no such experiment */
  async read(experimentId: string): Promise<StoredDocument<ExperimentBody> | undefined> {
    if (!idPattern.test(experimentId)) return undefined;
    const stored = await this.#deps.store.get<ExperimentBody>(experimentKey(experimentId));
    if (stored !== undefined) this.stages.put(experimentId, stored.body.experiment.lifecycleStage);
    return stored;
  }

  /** @throws NOT_FOUND */
  async require(experimentId: string): Promise<StoredDocument<ExperimentBody>> {
    const stored = await this.read(experimentId);
    if (stored !== undefined) return stored;
    throw trackingErrors.experimentMissing({ experimentId });
  }

  /** The deleted experiment of a name that changed last. */
  async findDeleted(name: string): Promise<StoredDocument<ExperimentBody> | undefined> {
    const newestFirst = eachDocument<ExperimentBody>(this.#deps.store, {
      container: tracking,
      filter: { op: 'compare', test: 'eq', path: ['experiment', 'name'], value: name },
      sort: { path: ['experiment', 'updatedAt'], direction: 'desc' },
      limit: 1,
    });
    for await (const stored of newestFirst) return stored;
    return undefined;
  }

  /** @throws ALREADY_EXISTS when the name is taken */
  async create(experiment: Experiment, by: string): Promise<void> {
    const { experimentId, name } = experiment;
    const body = toExperimentBody(experiment);
    const { kind: _, ...after } = body;
    const operations: readonly BatchOperation[] = [
      { kind: 'create', id: experimentKey(experimentId).id, body },
      this.#toEvent(experimentId, by, 'experiment.created', null, after),
    ];
    await this.#retry(experimentId, async () => {
      // A retry may find that the lost attempt, or another process, has completed this very claim.
      if ((await this.read(experimentId)) === undefined)
        await this.names.take(name, experimentId, operations);
    });
  }

  /**
   * Reads, decides and writes under the ETag; again after a lost race.
   *
   * @param decide undefined when nothing is to change
   * @returns the experiment as it was before
   * @throws NOT_FOUND; ALREADY_EXISTS when the name to take is taken; what `decide` throws
   */
  async change(
    experimentId: string,
    by: string,
    decide: (experiment: Experiment, now: number) => ExperimentChange | undefined,
  ): Promise<Experiment> {
    return this.#retry(experimentId, async () => {
      const { id, etag, body } = await this.require(experimentId);
      const current = toExperiment(body);
      const now = this.#deps.clock.now();
      const change = decide(current, now);
      if (change === undefined) return current;
      const { action, before, after, takesName } = change;
      const next = { ...change.next, updatedAt: now };
      const operations: readonly BatchOperation[] = [
        { kind: 'replace', id, body: toExperimentBody(next), etag },
        this.#toEvent(experimentId, by, action, before, after),
      ];
      if (takesName === undefined) await this.#deps.store.batch(tracking, experimentId, operations);
      else await this.names.take(takesName, experimentId, operations);
      this.stages.put(experimentId, next.lifecycleStage);
      return current;
    });
  }

  /** Deletes the document, after its name, so that no unfinished claim can recreate it. */
  async purge({ id, etag, body }: StoredDocument<ExperimentBody>, by: string): Promise<void> {
    const { experimentId, name } = body.experiment;
    await this.names.release(name, experimentId);
    this.stages.delete(experimentId);
    await this.#deps.store.batch(tracking, experimentId, [
      { kind: 'delete', id, etag },
      this.#toEvent(experimentId, by, 'experiment.purged', { name }, null),
    ]);
  }

  /** Retries lost races. A taken name is final, because it is not a race over this experiment's document. */
  async #retry<T>(experimentId: string, attempt: () => Promise<T>): Promise<T> {
    let taken: AppError | undefined;
    const done = await retryConflicts(`the experiment ${experimentId}`, this.#deps, async () => {
      try {
        return { value: await attempt() };
      } catch (error) {
        if (!trackingErrors.experimentNameTaken.is(error)) throw error;
        taken = error;
        return undefined;
      }
    });
    if (done === undefined) throw taken!;
    return done.value;
  }

  #toEvent(
    experimentId: string,
    by: string,
    action: string,
    before: JsonValue,
    after: JsonValue,
  ): BatchOperation {
    const entry: AuditEntry = { by, action, subject: { kind: 'experiment', experimentId }, before, after };
    return auditOperation(toAuditEvent(entry, this.#deps));
  }
}
