import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import type { JsonObject } from '../../core/json/json.ts';
import type { BatchOperation } from '../../platform/storage/documents.ts';
import { eachDocument } from '../../platform/storage/page.ts';
import { checkApproved } from './approvals.ts';
import {
  aliasesOf,
  aliasId,
  asJson,
  container,
  type DeletedVersionBody,
  type StoredHead,
  type HeadBody,
  replaceHead,
  replaceVersion,
  type StoredVersion,
  toVersion,
  toView,
  type VersionBody,
} from './documents.ts';
import type { ModelVersionView } from './entities.ts';
import type { Stage } from './stage-names.ts';
import { touch } from './models.ts';
import { registryErrors } from './errors.ts';
import type { ModelDocuments } from './model-documents.ts';
import { toStage } from './rules.ts';

/** Each change takes three of a batch's 100 operations: itself, its event and the event's announcement. */
const maxChangesPerBatch = 25;

/** Moves versions between stages and deletes them: the changes that affect the newest version of a stage. */
export class Stages {
  readonly #documents: ModelDocuments;

  constructor(documents: ModelDocuments) {
    this.#documents = documents;
  }

  /**
   * @param archiveOthers moves the other versions of the stage to `Archived`; only for Staging and Production
   * @throws NOT_FOUND, INVALID_ARGUMENT; PERMISSION_DENIED when the version lacks a required approval
   */
  async transition(
    model: string,
    version: number,
    stageName: string,
    archiveOthers: boolean,
    by: string,
  ): Promise<ModelVersionView> {
    const stage = toStage(stageName);
    if (archiveOthers && stage !== 'Staging' && stage !== 'Production')
      throw registryErrors.stageNotArchivable({ stage: stageName });
    for (;;) {
      const { view, more } = await this.#documents.changeExisting(model, (head) =>
        this.#transitionSome(head, version, stage, archiveOthers, by),
      );
      if (!more) return view;
    }
  }

  async #transitionSome(
    head: StoredHead,
    version: number,
    stage: Stage,
    archiveOthers: boolean,
    by: string,
  ): Promise<{ readonly view: ModelVersionView; readonly more: boolean }> {
    const model = head.partition;
    const stored = await this.#documents.findVersion(model, version);
    if (stored === undefined) throw registryErrors.versionMissing({ model, version });
    checkApproved(head.body, toVersion(stored.body), stage.toLowerCase());
    const others = archiveOthers ? await this.#othersIn(model, stage, version) : [];
    const now = this.#now();
    const moves: [StoredVersion, Stage][] = [
      [stored, stage],
      ...others.slice(0, maxChangesPerBatch).map((other): [StoredVersion, Stage] => [other, 'Archived']),
    ];
    const bodies = moves.map(([{ body }, to]) => ({
      ...body,
      version: { ...body.version, stage: to, updatedAt: now },
    }));
    const latestByStage = await this.#latestAfter(head.body, bodies);
    await this.#documents.commit(
      model,
      [
        replaceHead(head, {
          ...touch(head.body, now),
          detail: { ...head.body.detail, latestByStage },
        }),
        ...bodies.map((body, index) => replaceVersion(moves[index]![0], body)),
      ],
      moves.flatMap(([{ body }, to]): AuditEntry[] =>
        body.version.stage === to
          ? []
          : [
              {
                by,
                action: registryActions.versionStageChanged,
                subject: { kind: 'modelVersion', model, version: body.version.version },
                before: { stage: body.version.stage },
                after: { stage: to },
              },
            ],
      ),
    );
    return { view: toView(bodies[0]!, head.body), more: others.length > maxChangesPerBatch };
  }

  /** Deletes a version permanently, with its aliases; its number is not reused. @throws NOT_FOUND */
  async remove(model: string, version: number, by: string): Promise<void> {
    let more = true;
    while (more)
      more = await this.#documents.changeExisting(model, (head) => this.#removeSome(head, version, by));
  }

  async #removeSome(head: StoredHead, version: number, by: string): Promise<boolean> {
    const model = head.partition;
    const stored = await this.#documents.findVersion(model, version);
    if (stored === undefined) throw registryErrors.versionMissing({ model, version });
    const { body } = head;
    const now = this.#now();
    const all = aliasesOf(body.detail.aliases, version);
    const aliases = all.slice(0, maxChangesPerBatch);
    const more = all.length > aliases.length;
    const kept = Object.entries(body.detail.aliases).filter(([alias]) => !aliases.includes(alias));
    const gone: DeletedVersionBody = {
      kind: 'deletedVersion',
      deletedVersion: { version, deletedAt: now },
    };
    const latestByStage = more ? body.detail.latestByStage : await this.#latestAfter(body, [], version);
    const { source, runId = null, stage } = stored.body.version;
    await this.#documents.commit(
      model,
      [
        replaceHead(head, {
          ...touch(body, now),
          detail: { ...body.detail, aliases: Object.fromEntries(kept), latestByStage },
        }),
        ...aliases.map((alias): BatchOperation => ({ kind: 'delete', id: aliasId(alias) })),
        ...(more
          ? []
          : [
              {
                kind: 'replace',
                id: stored.id,
                etag: stored.etag,
                body: asJson(gone),
              } satisfies BatchOperation,
            ]),
      ],
      [
        ...aliases.map((alias): AuditEntry => ({
          by,
          action: registryActions.aliasDeleted,
          subject: { kind: 'alias', model, alias },
          before: { version },
          after: null,
        })),
        ...(more
          ? []
          : [
              {
                by,
                action: registryActions.versionDeleted,
                subject: { kind: 'modelVersion', model, version },
                before: { source, runId, stage, tags: stored.body.tags },
                after: null,
              } satisfies AuditEntry,
            ]),
      ],
    );
    return more;
  }

  /** The newest version of each stage after `changed` (or `removed`) is written. */
  async #latestAfter(
    head: HeadBody,
    changed: readonly VersionBody[],
    removed?: number,
  ): Promise<HeadBody['detail']['latestByStage']> {
    const moved = new Set([...changed.map(({ version }) => version.version), ...(removed ? [removed] : [])]);
    const before = Object.entries(head.detail.latestByStage) as [Stage, number][];
    const latest = new Map(before);
    for (const [stage, number] of before) {
      if (!moved.has(number)) continue;
      const next = await this.#newestIn(head.model.name, stage, moved);
      if (next === undefined) latest.delete(stage);
      else latest.set(stage, next);
    }
    for (const { version } of changed)
      if (version.version > (latest.get(version.stage) ?? 0)) latest.set(version.stage, version.version);
    return Object.fromEntries(latest);
  }

  async #newestIn(model: string, stage: Stage, but: ReadonlySet<number>): Promise<number | undefined> {
    for await (const { version } of this.#inStage(model, stage))
      if (!but.has(version.version)) return version.version;
    return undefined;
  }

  async #othersIn(model: string, stage: Stage, version: number): Promise<StoredVersion[]> {
    const others: StoredVersion[] = [];
    for await (const body of this.#inStage(model, stage)) {
      if (body.version.version === version) continue;
      const stored = await this.#documents.findVersion(model, body.version.version);
      if (stored) others.push(stored);
      if (others.length > maxChangesPerBatch) break;
    }
    return others;
  }

  /** The versions of a stage, newest first. */
  async *#inStage(model: string, stage: Stage): AsyncGenerator<VersionBody> {
    const documents = eachDocument<VersionBody & JsonObject>(this.#documents.store, {
      container,
      partition: model,
      filter: {
        op: 'and',
        filters: [
          { op: 'compare', test: 'eq', path: ['kind'], value: 'version' },
          { op: 'compare', test: 'eq', path: ['version', 'stage'], value: stage },
        ],
      },
      sort: { path: ['version', 'version'], direction: 'desc' },
      limit: 50,
    });
    for await (const { body } of documents) yield body;
  }

  #now(): number {
    return this.#documents.clock.now();
  }
}
