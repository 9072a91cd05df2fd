import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import { AppError } from '../../core/errors.ts';
import { checkApproved } from './approvals.ts';
import {
  type AliasBody,
  aliasId,
  asJson,
  replaceHead,
  toVersion,
  withEntry,
  withoutEntry,
} from './documents.ts';
import type { Alias } from './entities.ts';
import { type Partitions, refuseUnknownVersion } from './partitions.ts';
import { checkAliasIsFree, checkAliasName, invalid } from './rules.ts';

/** A head holds them all. */
const maxAliases = 1_000;

/** Names that point at a version: what is asked for is moved, not the version. */
export class Aliases {
  readonly #partitions: Partitions;

  constructor(partitions: Partitions) {
    this.#partitions = partitions;
  }

  /**
   * Points an alias at a version; the same again changes nothing.
   *
   * @throws NOT_FOUND, INVALID_ARGUMENT; PERMISSION_DENIED when the alias needs an approval that the version has not
   */
  async move(model: string, name: string, version: number, by: string): Promise<Alias> {
    checkAliasName(name);
    checkAliasIsFree(name);
    // Of a model that is not there, no version is: it is told so, as MLflow does.
    return this.#partitions.change(model, async (head) => {
      if (head === undefined) return refuseUnknownVersion(model, version);
      const { body } = head;
      const [stored, before] = await Promise.all([
        this.#partitions.findVersion(model, version),
        this.#partitions.findAlias(model, name),
      ]);
      if (stored === undefined) return refuseUnknownVersion(model, version);
      if (before?.version === version) return { model, ...before };
      checkApproved(body, toVersion(stored.body), name);
      const aliases = withEntry(body.detail.aliases, name, version);
      if (Object.keys(aliases).length > maxAliases)
        throw invalid(`A model has at most ${maxAliases} aliases: delete one first.`);
      const alias: AliasBody['alias'] = {
        alias: name,
        version,
        previousVersion: before?.version ?? null,
        movedAt: this.#partitions.pace.clock.now(),
        movedBy: by,
      };
      const entry: AuditEntry = {
        by,
        action: registryActions.aliasMoved,
        subject: { kind: 'alias', model, alias: name },
        before: before === undefined ? null : { version: before.version },
        after: { version },
      };
      const stands: AliasBody = { kind: 'alias', alias };
      await this.#partitions.commit(
        model,
        [
          replaceHead(head, { ...body, detail: { ...body.detail, aliases } }),
          { kind: 'upsert', id: aliasId(name), body: asJson(stands) },
        ],
        [entry],
      );
      return { model, ...alias };
    });
  }

  /** An alias that is not there is no error. @throws NOT_FOUND when there is no such model */
  async remove(model: string, name: string, by: string): Promise<void> {
    checkAliasName(name);
    await this.#partitions.changeExisting(model, async (head) => {
      const { detail } = head.body;
      if (!Object.hasOwn(detail.aliases, name)) return;
      const entry: AuditEntry = {
        by,
        action: registryActions.aliasDeleted,
        subject: { kind: 'alias', model, alias: name },
        before: { version: detail.aliases[name]! },
        after: null,
      };
      const aliases = withoutEntry(detail.aliases, name);
      await this.#partitions.commit(
        model,
        [
          replaceHead(head, { ...head.body, detail: { ...detail, aliases } }),
          { kind: 'delete', id: aliasId(name) },
        ],
        [entry],
      );
    });
  }

  /** @throws NOT_FOUND */
  async get(model: string, name: string): Promise<Alias> {
    const [head, alias] = await Promise.all([
      this.#partitions.findHead(model),
      this.#partitions.findAlias(model, name),
    ]);
    if (head && alias) return { model, ...alias };
    throw new AppError('NOT_FOUND', `The model "${model}" has no alias "${name}".`, { model, alias: name });
  }

  /** By name; none for a model that is not there. */
  async list(model: string): Promise<readonly Alias[]> {
    const head = await this.#partitions.findHead(model);
    const names = Object.keys(head?.body.detail.aliases ?? {}).sort();
    const found = await Promise.all(names.map((name) => this.#partitions.findAlias(model, name)));
    return found.filter((alias) => alias !== undefined).map((alias) => ({ model, ...alias }));
  }
}
