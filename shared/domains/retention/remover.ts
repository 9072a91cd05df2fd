import type { JsonObject } from '../../core/json.ts';
import { metadataContainers } from '../../core/names.ts';
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
/** Whoever looked a run up before it began to go has done by then what they were about to, and it is seen. */
const settleMs = 5_000;
/** A removal that is older was interrupted: the longest call of a function is shorter. */
const interruptedMs = 15 * 60_000;

/** Removes for good, and asks each time once more whether it may. */
export class Remover {
  readonly #deps: RetentionDeps;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** What keeps it, as sentences. */
  async findReasons(subject: TrashSubject): Promise<readonly string[]> {
    const { store, experiments } = this.#deps;
    const readStages = (ids: Iterable<string>) => experiments.readStages(ids);
    const reasons = await findReferences({ store, readStages }, subject);
    if (subject.kind !== 'experiment' || reasons.length > 0) return reasons;
    return (await this.#isEmpty(subject.id)) ? [] : ['There are runs or logged models in it that stay.'];
  }

  /** Whether it is deleted, by itself or with its experiment. */
  async isDeleted(body: JsonObject, experimentId: string): Promise<boolean> {
    const { lifecycleStage } = (body['run'] ?? body['loggedModel']) as { readonly lifecycleStage: string };
    if (lifecycleStage === 'deleted') return true;
    return (await this.#deps.experiments.readStages([experimentId])).get(experimentId) === 'deleted';
  }

  /** @param subjects nothing referred to them a moment ago */
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

  /** @returns what needs it all of a sudden: then it is back */
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

  /** Goes on where a crash stopped a removal. */
  async finishInterrupted(isOver: () => boolean): Promise<Outcome> {
    const { store, clock } = this.#deps;
    const outcome = new Outcomes();
    const interrupted = eachDocument<RemovalBody>(store, {
      container: tracking,
      filter: { op: 'lte', path: ['removal', 'at'], value: clock.now() - interruptedMs },
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
      logger.log('info', 'artifacts without an owner removed', { path: subject.id, by });
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

/** Runs and logged models, and those on their way out. */
const contents: Filter = {
  op: 'or',
  filters: [
    { op: 'exists', path: ['run', 'runId'] },
    { op: 'exists', path: ['loggedModel', 'modelId'] },
    { op: 'exists', path: ['removal', 'at'] },
  ],
};

/** What became of some, as it comes. */
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
