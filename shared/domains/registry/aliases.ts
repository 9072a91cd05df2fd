import type { AuditEntry } from '../../platform/audit/event.ts';
import { registryActions } from '../../platform/audit/registry-actions.ts';
import type { BatchOperation } from '../../platform/storage/documents.ts';
import { checkApproved } from './approvals.ts';
import {
  type AliasBody,
  aliasId,
  aliasMoveId,
  asJson,
  type MoveBody,
  replaceHead,
  toVersion,
  withEntry,
  withoutEntry,
} from './documents.ts';
import type { Alias } from './entities.ts';
import { registryErrors } from './errors.ts';
import type { ModelDocuments } from './model-documents.ts';
import { checkAliasIsFree, checkAliasName } from './rules.ts';

/** The head of a model holds them all. */
const maxAliases = 1_000;

/** Aliases: names that point at versions of a model. */
export class Aliases {
  readonly #documents: ModelDocuments;

  constructor(documents: ModelDocuments) {
    this.#documents = documents;
  }

  /**
   * Points an alias at a version. Idempotent.
   *
   * @param options.once an idempotency key: a repeated call returns the result of the first, and does not undo a later
   *   move
   * @throws NOT_FOUND, INVALID_ARGUMENT; PERMISSION_DENIED when the version lacks a required approval
   */
  async move(
    model: string,
    name: string,
    version: number,
    by: string,
    { once }: { readonly once?: string } = {},
  ): Promise<Alias> {
    checkAliasName(name);
    checkAliasIsFree(name);
    return this.#documents.change(model, async (head) => {
      if (head === undefined) throw registryErrors.versionMissing({ model, version });
      const { body } = head;
      const [stored, before, known] = await Promise.all([
        this.#documents.findVersion(model, version),
        this.#documents.findAlias(model, name),
        once === undefined ? undefined : this.#documents.findMoved(model, once),
      ]);
      if (known !== undefined) return { model, ...known };
      if (stored === undefined) throw registryErrors.versionMissing({ model, version });
      if (before?.version === version) {
        if (once !== undefined)
          await this.#documents.commit(model, [replaceHead(head, body), ...recordMove(once, before)], []);
        return { model, ...before };
      }
      checkApproved(body, toVersion(stored.body), name);
      const aliases = withEntry(body.detail.aliases, name, version);
      if (Object.keys(aliases).length > maxAliases)
        throw registryErrors.tooManyAliases({ limit: maxAliases });
      const alias: AliasBody['alias'] = {
        alias: name,
        version,
        previousVersion: before?.version ?? null,
        movedAt: this.#documents.clock.now(),
        movedBy: by,
      };
      const entry: AuditEntry = {
        by,
        action: registryActions.aliasMoved,
        subject: { kind: 'alias', model, alias: name },
        before: before === undefined ? null : { version: before.version },
        after: { version },
      };
      const aliasBody: AliasBody = { kind: 'alias', alias };
      await this.#documents.commit(
        model,
        [
          replaceHead(head, { ...body, detail: { ...body.detail, aliases } }),
          { kind: 'upsert', id: aliasId(name), body: asJson(aliasBody) },
          ...recordMove(once, alias),
        ],
        [entry],
      );
      return { model, ...alias };
    });
  }

  /** Deleting an unknown alias is not an error. @throws NOT_FOUND for the model */
  async remove(model: string, name: string, by: string): Promise<void> {
    checkAliasName(name);
    await this.#documents.changeExisting(model, async (head) => {
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
      await this.#documents.commit(
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
      this.#documents.findHead(model),
      this.#documents.findAlias(model, name),
    ]);
    if (head && alias) return { model, ...alias };
    throw registryErrors.aliasMissing({ model, alias: name });
  }

  /** Lists aliases by name; empty for an unknown model. */
  async list(model: string): Promise<readonly Alias[]> {
    const head = await this.#documents.findHead(model);
    const names = Object.keys(head?.body.detail.aliases ?? {}).sort();
    const found = await Promise.all(names.map((name) => this.#documents.findAlias(model, name)));
    return found.filter((alias) => alias !== undefined).map((alias) => ({ model, ...alias }));
  }
}

function recordMove(once: string | undefined, moved: AliasBody['alias']): readonly BatchOperation[] {
  if (once === undefined) return [];
  const body: MoveBody = { kind: 'run', moved };
  return [{ kind: 'create', id: aliasMoveId(once), body: asJson(body) }];
}
