import { artifactScheme } from '../../../core/names/mlflow-names.ts';
import { toExperiment } from '../documents.ts';
import type { Experiment, LifecycleStage, Tag } from '../entities.ts';
import { trackingErrors } from '../errors.ts';
import { checkArtifactLocation, checkExperimentName, checkExperimentTag } from './rules.ts';
import { type ExperimentChange, type ExperimentDeps, ExperimentStore } from './store.ts';

export const defaultExperimentId = '0';
const defaultExperimentName = 'Default';

export interface NewExperiment {
  readonly name: string;
  /** Default: the platform's own storage. */
  readonly artifactLocation?: string | undefined;
  readonly tags?: readonly Tag[];
}

const readsAtOnce = 20;

/**
 * Creates, changes and reads experiments. A run counts as deleted when it or its experiment is: deleting and restoring
 * an experiment cost one write whatever the number of its runs, and runs deleted individually stay deleted when their
 * experiment is restored.
 */
export class ExperimentService {
  readonly #deps: ExperimentDeps;
  readonly #store: ExperimentStore;
  #default: Promise<void> | undefined;

  constructor(deps: ExperimentDeps) {
    this.#deps = deps;
    this.#store = new ExperimentStore(deps);
  }

  /** @throws INVALID_ARGUMENT, ALREADY_EXISTS */
  async create(wanted: NewExperiment, by: string): Promise<Experiment> {
    checkExperimentName(wanted.name);
    if (wanted.artifactLocation) checkArtifactLocation(wanted.artifactLocation);
    wanted.tags?.forEach(checkExperimentTag);
    await this.ensureDefault();
    return this.#create(this.#newId(), wanted, by);
  }

  /** @throws NOT_FOUND */
  async get(experimentId: string): Promise<Experiment> {
    if (experimentId === defaultExperimentId) await this.ensureDefault();
    const stored = await this.#store.require(experimentId);
    return toExperiment(stored.body);
  }

  /** Finds the active experiment of a name, or else a deleted one. @throws NOT_FOUND */
  async getByName(name: string): Promise<Experiment> {
    if (name === defaultExperimentName) await this.ensureDefault();
    const found = name.isWellFormed()
      ? ((await this.#store.names.find(name)) ?? (await this.#store.findDeleted(name)))
      : undefined;
    if (found !== undefined) return toExperiment(found.body);
    throw trackingErrors.experimentNameUnknown({ name });
  }

  /** @throws NOT_FOUND, ALREADY_EXISTS; INVALID_ARGUMENT when the experiment is deleted */
  async rename(experimentId: string, name: string, by: string): Promise<void> {
    checkExperimentName(name);
    const before = await this.#change(experimentId, by, (experiment) => {
      if (experiment.lifecycleStage !== 'active')
        throw trackingErrors.deletedExperimentRenamed({ experimentId });
      if (experiment.name === name) return undefined;
      return {
        next: { ...experiment, name },
        action: 'experiment.renamed',
        before: { name: experiment.name },
        after: { name },
        takesName: name,
      };
    });
    if (before.name !== name) await this.#store.names.release(before.name, experimentId);
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

  /** @throws NOT_FOUND; ALREADY_EXISTS when its name has been taken since */
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

  /** @throws NOT_FOUND; INVALID_ARGUMENT when the experiment is deleted */
  async setTag(experimentId: string, tag: Tag, by: string): Promise<void> {
    checkExperimentTag(tag);
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

  /** @throws NOT_FOUND for the experiment or the tag; INVALID_ARGUMENT when the experiment is deleted */
  async deleteTag(experimentId: string, key: string, by: string): Promise<void> {
    await this.#change(experimentId, by, (experiment) => {
      checkActive(experiment);
      const known = experiment.tags.get(key);
      if (known === undefined) throw trackingErrors.experimentTagMissing({ experimentId, key });
      return {
        next: { ...experiment, tags: new Map([...experiment.tags].filter(([name]) => name !== key)) },
        action: 'experiment.tags.deleted',
        before: Object.fromEntries([[key, known]]),
        after: null,
      };
    });
  }

  /** Reads the current stages of experiments; missing ones are left out. */
  async readStages(experimentIds: Iterable<string>): Promise<ReadonlyMap<string, LifecycleStage>> {
    const stages = new Map<string, LifecycleStage>();
    const ids = [...new Set(experimentIds)];
    for (let start = 0; start < ids.length; start += readsAtOnce) {
      const some = ids.slice(start, start + readsAtOnce);
      for (const stored of await Promise.all(some.map((id) => this.#store.read(id)))) {
        if (stored === undefined) continue;
        const { experimentId, lifecycleStage } = stored.body.experiment;
        stages.set(experimentId, lifecycleStage);
      }
    }
    return stages;
  }

  /** For writes to runs: notices a deletion by another process some seconds late, one by this process at once. */
  async isActive(experimentId: string): Promise<boolean> {
    const known = this.#store.stages.find(experimentId);
    if (known !== undefined) return known === 'active';
    const stored = await this.#store.read(experimentId);
    return stored?.body.experiment.lifecycleStage === 'active';
  }

  /** Creates the experiment that always exists: once per process, and idempotent. */
  ensureDefault(): Promise<void> {
    this.#default ??= this.#createDefault().catch((error: unknown) => {
      this.#default = undefined;
      throw error;
    });
    return this.#default;
  }

  /** Purges a deleted experiment. @throws INVALID_ARGUMENT when it is not deleted */
  async purge(experimentId: string, by: string): Promise<void> {
    const stored = await this.#store.read(experimentId);
    if (stored === undefined) return;
    if (stored.body.experiment.lifecycleStage !== 'deleted')
      throw trackingErrors.experimentNotDeleted({ experimentId });
    await this.#store.purge(stored, by);
  }

  async #create(experimentId: string, wanted: NewExperiment, by: string): Promise<Experiment> {
    const now = this.#deps.clock.now();
    const experiment: Experiment = {
      experimentId,
      name: wanted.name,
      artifactLocation: wanted.artifactLocation || `${artifactScheme}:/${experimentId}`,
      lifecycleStage: 'active',
      createdAt: now,
      updatedAt: now,
      tags: new Map(wanted.tags?.map(({ key, value }) => [key, value])),
    };
    await this.#store.create(experiment, by);
    return experiment;
  }

  async #createDefault(): Promise<void> {
    if ((await this.#store.read(defaultExperimentId)) !== undefined) return;
    await this.#create(defaultExperimentId, { name: defaultExperimentName }, 'platform');
  }

  async #change(
    experimentId: string,
    by: string,
    decide: (experiment: Experiment, now: number) => ExperimentChange | undefined,
  ): Promise<Experiment> {
    if (experimentId === defaultExperimentId) await this.ensureDefault();
    return this.#store.change(experimentId, by, decide);
  }

  /** 18 digits: clients expect a number, and collisions must not occur. */
  #newId(): string {
    const { ids } = this.#deps;
    const draw = (limit: number) => String(Math.floor(ids.random() * limit));
    return `${1 + Math.floor(ids.random() * 9)}${draw(1e8).padStart(8, '0')}${draw(1e9).padStart(9, '0')}`;
  }
}

function checkActive({ experimentId, lifecycleStage }: Experiment): void {
  if (lifecycleStage !== 'active') throw trackingErrors.experimentDeleted({ experimentId });
}
