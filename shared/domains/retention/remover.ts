import type { JsonObject } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { Filter } from '../../platform/storage/documents.ts';
import { eachDocument } from '../../platform/storage/page.ts';
import type { RetentionDeps } from './deps.ts';
import type { Collected, TrashSubject } from './entities.ts';
import { findReferences } from './references.ts';
import {
  beginRemoval,
  deleteDocuments,
  finishRemoval,
  type RemovalBody,
  type StoredRemoval,
  undoRemoval,
} from './removal.ts';

export type Outcome = Pick<Collected, 'removed' | 'kept'>;

const { tracking } = metadataContainers;
const pageSize = 50;
/** Time for requests that read the run before its removal to write their references. */
const settleMs = 5_000;
/** Older removals were interrupted: no function runs as long. */
const interruptedMs = 15 * 60_000;

/** Purges objects, after checking once more that nothing refers to them. */
export class Remover {
  readonly #deps: RetentionDeps;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** What keeps an object, as sentences. */
  async findReasons(subject: TrashSubject): Promise<readonly string[]> {
    const reasons = await findReferences(this.#deps, subject);
    if (subject.kind !== 'experiment' || reasons.length > 0) return reasons;
    return (await this.#isEmpty(subject.id)) ? [] : ['It contains runs or logged models that stay.'];
  }

  /** Whether a run or logged model is deleted, individually or with its experiment. */
  async isDeleted(body: JsonObject, experimentId: string): Promise<boolean> {
    const { lifecycleStage } = (body['run'] ?? body['loggedModel']) as { readonly lifecycleStage: string };
    if (lifecycleStage === 'deleted') return true;
    return (await this.#deps.experiments.readStages([experimentId])).get(experimentId) === 'deleted';
  }

  /** @param subjects nothing referred to them just before */
  async remove(subjects: readonly TrashSubject[], by: string): Promise<Outcome> {
    const outcome = new Outcomes();
    const begun: StoredRemoval[] = [];
    for (const subject of subjects) {
      if (subject.kind !== 'run' && subject.kind !== 'loggedModel') continue;
      const isDeleted = (body: JsonObject) => this.isDeleted(body, subject.experimentId);
      const removal = await beginRemoval(this.#deps, subject, by, isDeleted);
      if (removal !== undefined) begun.push(removal);
    }
    if (begun.length > 0) await this.#deps.clock.sleep(settleMs);
    for (const removal of begun) outcome.add(removal.body.removal.subject, await this.finish(removal));
    for (const subject of subjects)
      if (subject.kind === 'orphan' || subject.kind === 'experiment')
        outcome.add(subject, await this.#removeRest(subject, by));
    return outcome;
  }

  /** @returns new references, for which the removal was undone */
  async finish(removal: StoredRemoval): Promise<readonly string[]> {
    const { subject, isConfirmed } = removal.body.removal;
    if (isConfirmed !== true) {
      const isDeleted = await this.isDeleted(removal.body.detail.body, subject.experimentId);
      const keptBy = isDeleted ? await this.findReasons(subject) : ['It was restored.'];
      if (keptBy.length > 0) {
        await undoRemoval(this.#deps, removal);
        return keptBy;
      }
    }
    await finishRemoval(this.#deps, removal);
    return [];
  }

  /** Completes removals that crashes interrupted. */
  async finishInterrupted(isOver: () => boolean): Promise<Outcome> {
    const { store, clock } = this.#deps;
    const outcome = new Outcomes();
    const interrupted = eachDocument<RemovalBody>(store, {
      container: tracking,
      filter: { op: 'compare', test: 'lte', path: ['removal', 'at'], value: clock.now() - interruptedMs },
      limit: pageSize,
    });
    for await (const removal of interrupted) {
      if (isOver()) return outcome;
      outcome.add(removal.body.removal.subject, await this.finish(removal));
    }
    return outcome;
  }

  async #removeRest(
    subject: Extract<TrashSubject, { kind: 'orphan' | 'experiment' }>,
    by: string,
  ): Promise<readonly string[]> {
    const { store, artifacts, experiments, logger } = this.#deps;
    const keptBy = await this.findReasons(subject);
    if (keptBy.length > 0) return keptBy;
    if (subject.kind === 'experiment') {
      await deleteDocuments(store, subject.id, { op: 'exists', path: ['datasetUse', 'experimentId'] });
      await experiments.purge(subject.id, by);
    } else {
      await artifacts.remove(subject.id);
      logger.log('info', 'orphaned artifacts removed', { path: subject.id, by });
    }
    return [];
  }

  async #isEmpty(experimentId: string): Promise<boolean> {
    const { documents } = await this.#deps.store.list({
      container: tracking,
      partition: experimentId,
      filter: contents,
      limit: 1,
    });
    return documents.length === 0;
  }
}

/** Runs and logged models, and those being removed. */
const contents: Filter = {
  op: 'or',
  filters: [
    { op: 'exists', path: ['run', 'runId'] },
    { op: 'exists', path: ['loggedModel', 'modelId'] },
    { op: 'exists', path: ['removal', 'at'] },
  ],
};

/** Collects outcomes. */
export class Outcomes implements Outcome {
  readonly removed: TrashSubject[] = [];
  readonly kept: { readonly subject: TrashSubject; readonly keptBy: readonly string[] }[] = [];

  add(subject: TrashSubject, keptBy: readonly string[]): void {
    if (keptBy.length === 0) this.removed.push(subject);
    else this.kept.push({ subject, keptBy });
  }

  addAll({ removed, kept }: Outcome): void {
    this.removed.push(...removed);
    this.kept.push(...kept);
  }
}
