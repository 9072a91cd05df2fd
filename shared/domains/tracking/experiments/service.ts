import { type AuditEntry, auditOperation, toAuditEvent } from '../../../platform/audit/event.ts';
import { AppError, isAppError } from '../../../core/errors.ts';
import type { JsonValue } from '../../../core/json.ts';
import { metadataContainers } from '../../../core/names.ts';
import type { BatchOperation, MetadataStore, StoredDocument } from '../../../platform/storage/documents.ts';
import { type Pace, retryConflicts } from '../../../platform/storage/optimistic.ts';
import { eachDocument } from '../../../platform/storage/page.ts';
import { type ExperimentBody, experimentKey, toExperiment, toExperimentBody } from '../documents.ts';
import type { Experiment, LifecycleStage, Tag } from '../entities.ts';
import { ExperimentNames } from './names.ts';
import { checkArtifactLocation, checkName, checkTag } from './rules.ts';

export const defaultExperimentId = '0';
const defaultExperimentName = 'Default';

export interface ExperimentServiceOptions {
  readonly store: MetadataStore;
  readonly pace: Pace;
}

export interface NewExperiment {
  readonly name: string;
  /** Left out: where the platform keeps artifacts. */
  readonly artifactLocation?: string | undefined;
  readonly tags?: readonly Tag[];
}

/** How long another process's deletion of an experiment may go unnoticed by writes to its runs. */
const stageMaxAgeMs = 5_000;
const maxStages = 10_000;
const readsAtOnce = 20;

/**
 * Experiments. Deleting one deletes its runs by what "deleted" means: a run is deleted when it, or its experiment, is.
 * So deleting and restoring cost one write whatever the number of runs, and a restored experiment has the runs that it
 * had, not those that were deleted by themselves.
 */
export class ExperimentService {
  readonly #options: ExperimentServiceOptions;
  readonly #names: ExperimentNames;
  readonly #stages = new Map<string, { readonly stage: LifecycleStage; readonly readAt: number }>();
  #default: Promise<void> | undefined;

  constructor(options: ExperimentServiceOptions) {
    this.#options = options;
    this.#names = new ExperimentNames(options.store);
  }

  /** @throws INVALID_ARGUMENT, ALREADY_EXISTS */
  async create(wanted: NewExperiment, by: string): Promise<Experiment> {
    checkName(wanted.name);
    if (wanted.artifactLocation) checkArtifactLocation(wanted.artifactLocation);
    wanted.tags?.forEach(checkTag);
    await this.ensureDefault();
    return this.#create(this.#newId(), wanted, by);
  }

  async #create(experimentId: string, wanted: NewExperiment, by: string): Promise<Experiment> {
    const now = this.#options.pace.clock.now();
    const experiment: Experiment = {
      experimentId,
      name: wanted.name,
      artifactLocation: wanted.artifactLocation || `mlflow-artifacts:/${experimentId}`,
      lifecycleStage: 'active',
      createdAt: now,
      updatedAt: now,
      tags: new Map(wanted.tags?.map(({ key, value }) => [key, value])),
    };
    const { kind, ...after } = toExperimentBody(experiment);
    const { id } = experimentKey(experimentId);
    const operations: readonly BatchOperation[] = [
      { kind: 'create', id, body: { kind, ...after } },
      this.#toEvent(experimentId, by, 'experiment.created', null, after),
    ];
    // Only one who lost a race comes here again; what he finds then is an experiment of that name, or the way free.
    await this.#repeat(experimentId, async () => {
      const done = await this.#read(experimentId);
      if (done === undefined) await this.#names.take(wanted.name, experimentId, operations);
    });
    return experiment;
  }

  /** @throws NOT_FOUND */
  async get(experimentId: string): Promise<Experiment> {
    if (experimentId === defaultExperimentId) await this.ensureDefault();
    const stored = await this.#require(experimentId);
    return toExperiment(stored.body);
  }

  /** The active one of that name; a deleted one when there is none. @throws NOT_FOUND */
  async getByName(name: string): Promise<Experiment> {
    if (name === defaultExperimentName) await this.ensureDefault();
    const found = name.isWellFormed()
      ? ((await this.#names.find(name)) ?? (await this.#findDeleted(name)))
      : undefined;
    if (found !== undefined) return toExperiment(found.body);
    throw new AppError('NOT_FOUND', `Could not find experiment with name '${name}'`, { name });
  }

  /** @throws NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT when it is deleted */
  async rename(experimentId: string, name: string, by: string): Promise<void> {
    checkName(name);
    const before = await this.#change(experimentId, by, (experiment) => {
      if (experiment.lifecycleStage !== 'active')
        throw new AppError('INVALID_ARGUMENT', 'Cannot rename a non-active experiment.', { experimentId });
      if (experiment.name === name) return undefined;
      return {
        next: { ...experiment, name },
        action: 'experiment.renamed',
        before: { name: experiment.name },
        after: { name },
        takesName: name,
      };
    });
    if (before.name !== name) await this.#names.release(before.name, experimentId);
  }

  /** @throws NOT_FOUND */
  async delete(experimentId: string, by: string): Promise<void> {
    await this.#change(experimentId, by, (experiment, now) => {
      if (experiment.lifecycleStage === 'deleted') return undefined;
      return {
        next: { ...experiment, lifecycleStage: 'deleted', deletedAt: now },
        action: 'experiment.deleted',
        before: { lifecycleStage: 'active' },
        after: { lifecycleStage: 'deleted' },
      };
    });
  }

  /** @throws NOT_FOUND, ALREADY_EXISTS when its name was taken meanwhile */
  async restore(experimentId: string, by: string): Promise<void> {
    await this.#change(experimentId, by, (experiment) => {
      if (experiment.lifecycleStage === 'active') return undefined;
      const { deletedAt, ...rest } = experiment;
      return {
        next: { ...rest, lifecycleStage: 'active' },
        action: 'experiment.restored',
        before: { lifecycleStage: 'deleted', deletedAt: deletedAt ?? null },
        after: { lifecycleStage: 'active' },
        takesName: experiment.name,
      };
    });
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT when it is deleted */
  async setTag(experimentId: string, tag: Tag, by: string): Promise<void> {
    checkTag(tag);
    await this.#change(experimentId, by, (experiment) => {
      checkActive(experiment);
      const known = experiment.tags.get(tag.key);
      if (known === tag.value) return undefined;
      return {
        next: { ...experiment, tags: new Map([...experiment.tags, [tag.key, tag.value]]) },
        action: 'experiment.tags.set',
        before: Object.fromEntries([[tag.key, known ?? null]]),
        after: Object.fromEntries([[tag.key, tag.value]]),
      };
    });
  }

  /** @throws NOT_FOUND, of the experiment or the tag; INVALID_ARGUMENT when the experiment is deleted */
  async deleteTag(experimentId: string, key: string, by: string): Promise<void> {
    await this.#change(experimentId, by, (experiment) => {
      checkActive(experiment);
      const known = experiment.tags.get(key);
      if (known === undefined)
        throw new AppError('NOT_FOUND', `No tag with name: ${key} in experiment with id ${experimentId}`, {
          key,
        });
      return {
        next: { ...experiment, tags: new Map([...experiment.tags].filter(([name]) => name !== key)) },
        action: 'experiment.tags.deleted',
        before: Object.fromEntries([[key, known]]),
        after: null,
      };
    });
  }

  /** The stages of some experiments as they are now; those that do not exist are left out. */
  async readStages(experimentIds: Iterable<string>): Promise<ReadonlyMap<string, LifecycleStage>> {
    const stages = new Map<string, LifecycleStage>();
    const ids = [...new Set(experimentIds)];
    for (let start = 0; start < ids.length; start += readsAtOnce) {
      const some = ids.slice(start, start + readsAtOnce);
      for (const stored of await Promise.all(some.map((experimentId) => this.#read(experimentId)))) {
        if (stored === undefined) continue;
        const { experimentId, lifecycleStage } = stored.body.experiment;
        stages.set(experimentId, lifecycleStage);
      }
    }
    return stages;
  }

  /** For writes to runs: a deletion in another process is noticed some seconds late, one in this process at once. */
  async isActive(experimentId: string): Promise<boolean> {
    const now = this.#options.pace.clock.now();
    const known = this.#stages.get(experimentId);
    if (known !== undefined && now - known.readAt < stageMaxAgeMs) return known.stage === 'active';
    const stored = await this.#read(experimentId);
    return stored?.body.experiment.lifecycleStage === 'active';
  }

  /** Makes the experiment that is always there. Once per process; harmless to repeat. */
  ensureDefault(): Promise<void> {
    this.#default ??= this.#createDefault().catch((error: unknown) => {
      this.#default = undefined;
      throw error;
    });
    return this.#default;
  }

  /** Removes a deleted experiment for good; its name first, so that no unfinished claim can bring it back. */
  async purge(experimentId: string, by: string): Promise<void> {
    const stored = await this.#read(experimentId);
    if (stored === undefined) return;
    const { name, lifecycleStage } = stored.body.experiment;
    if (lifecycleStage !== 'deleted')
      throw new AppError('INVALID_ARGUMENT', 'Only a deleted experiment can be removed for good.', {
        experimentId,
      });
    await this.#names.release(name, experimentId);
    this.#stages.delete(experimentId);
    await this.#options.store.batch(metadataContainers.tracking, experimentId, [
      { kind: 'delete', id: stored.id, etag: stored.etag },
      this.#toEvent(experimentId, by, 'experiment.purged', { name }, null),
    ]);
  }

  async #createDefault(): Promise<void> {
    if ((await this.#read(defaultExperimentId)) !== undefined) return;
    await this.#create(defaultExperimentId, { name: defaultExperimentName }, 'platform');
  }

  /** @returns the experiment as it was before */
  async #change(
    experimentId: string,
    by: string,
    decide: (experiment: Experiment, now: number) => Change | undefined,
  ): Promise<Experiment> {
    if (experimentId === defaultExperimentId) await this.ensureDefault();
    return this.#repeat(experimentId, async () => {
      const stored = await this.#require(experimentId);
      const before = toExperiment(stored.body);
      const now = this.#options.pace.clock.now();
      const change = decide(before, now);
      if (change === undefined) return before;
      const { id } = experimentKey(experimentId);
      const next = { ...change.next, updatedAt: now };
      const replace: BatchOperation = {
        kind: 'replace',
        id,
        body: toExperimentBody(next),
        etag: stored.etag,
      };
      const { action, takesName } = change;
      const event = this.#toEvent(experimentId, by, action, change.before, change.after);
      if (takesName !== undefined) await this.#names.take(takesName, experimentId, [replace, event]);
      else await this.#options.store.batch(metadataContainers.tracking, experimentId, [replace, event]);
      this.#remember(experimentId, next.lifecycleStage);
      return before;
    });
  }

  /** Another who takes the name for good is an answer; another who only was faster is not. */
  #repeat<T>(experimentId: string, attempt: () => Promise<T>): Promise<T> {
    let taken: AppError | undefined;
    return retryConflicts(`the experiment ${experimentId}`, this.#options.pace, async () => {
      try {
        return { value: await attempt() };
      } catch (error) {
        // With `details.operation` it is a batch that lost: the experiment was written by another.
        if (!isAppError(error, 'ALREADY_EXISTS') || 'operation' in error.details) throw error;
        taken = error;
        return undefined;
      }
    }).then((done) => {
      if (done === undefined) throw taken!;
      return done.value;
    });
  }

  #toEvent(
    experimentId: string,
    by: string,
    action: string,
    before: JsonValue,
    after: JsonValue,
  ): BatchOperation {
    const entry: AuditEntry = { by, action, subject: { kind: 'experiment', experimentId }, before, after };
    return auditOperation(toAuditEvent(entry, this.#options.pace));
  }

  async #require(experimentId: string): Promise<StoredDocument<ExperimentBody>> {
    const stored = await this.#read(experimentId);
    if (stored !== undefined) return stored;
    throw new AppError('NOT_FOUND', `No Experiment with id=${experimentId} exists`, { experimentId });
  }

  async #read(experimentId: string): Promise<StoredDocument<ExperimentBody> | undefined> {
    if (!/^[a-zA-Z0-9][\w-]{0,63}$/.test(experimentId)) return undefined;
    const stored = await this.#options.store.get<ExperimentBody>(experimentKey(experimentId));
    if (stored !== undefined) this.#remember(experimentId, stored.body.experiment.lifecycleStage);
    return stored;
  }

  #remember(experimentId: string, stage: LifecycleStage): void {
    if (this.#stages.size >= maxStages) this.#stages.clear();
    this.#stages.set(experimentId, { stage, readAt: this.#options.pace.clock.now() });
  }

  /** Of several deleted ones the one changed last. */
  async #findDeleted(name: string): Promise<StoredDocument<ExperimentBody> | undefined> {
    const newestFirst = eachDocument<ExperimentBody>(this.#options.store, {
      container: metadataContainers.tracking,
      filter: { op: 'eq', path: ['experiment', 'name'], value: name },
      sort: { path: ['experiment', 'updatedAt'], direction: 'desc' },
      limit: 1,
    });
    for await (const stored of newestFirst) return stored;
    return undefined;
  }

  /** Digits, as MLflow's own, and enough of them that chance makes no second. */
  #newId(): string {
    const { ids } = this.#options.pace;
    const digits = (count: number) => String(Math.floor(ids.random() * 10 ** count)).padStart(count, '0');
    return `${1 + Math.floor(ids.random() * 9)}${digits(8)}${digits(9)}`;
  }
}

interface Change {
  readonly next: Experiment;
  readonly action: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
  readonly takesName?: string;
}

function checkActive({ experimentId, lifecycleStage }: Experiment): void {
  if (lifecycleStage === 'active') return;
  throw new AppError(
    'INVALID_ARGUMENT',
    `The experiment ${experimentId} must be in the 'active' state. Current state is ${lifecycleStage}.`,
    { experimentId },
  );
}
