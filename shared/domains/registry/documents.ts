import { sha256 } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { BatchOperation, StoredDocument } from '../../platform/storage/documents.ts';
import type {
  Alias,
  Approval,
  ApprovalPolicy,
  ModelLineage,
  Model,
  ModelFile,
  ModelSignature,
  ModelVersion,
  ModelVersionView,
  ServingCheck,
  Tags,
} from './entities.ts';
import type { Stage } from './stage-names.ts';

/*
 * The documents of the container `registry`: one partition for each model, by name. Every change replaces the head
 * under its ETag, which serializes the changes of a model. Members under `detail` are not indexed.
 */

export const container = metadataContainers.registry;

export type HeadBody = {
  readonly kind: 'model';
  readonly model: {
    readonly name: string;
    readonly latestVersion: number;
    readonly createdAt: number;
    readonly updatedAt: number;
  };
  readonly tags: Tags;
  readonly detail: {
    readonly description: string;
    readonly aliases: Readonly<Record<string, number>>;
    readonly latestByStage: Readonly<Partial<Record<Stage, number>>>;
    readonly approvalPolicy?: ApprovalPolicy;
    /** A rename in progress, which locks the model. */
    readonly move?: Move;
    /** The time of its last event; the next one is later, whichever machine writes it. */
    readonly eventAt?: number;
    /** Its previous name, by which a repeated rename is recognized. */
    readonly renamedFrom?: string;
  };
};

export interface Move {
  readonly moveId: string;
  readonly to: string;
  readonly at: number;
  readonly by: string;
}

/** Replaces a head during an operation. Any process that finds it completes the operation. */
export type Marker =
  /** Reserves the new name of a model being renamed, with its future head. */
  | {
      readonly kind: 'claim';
      readonly claim: {
        readonly from: string;
        readonly moveId: string;
        readonly by: string;
        readonly at: number;
      };
      readonly detail: { readonly head: HeadBody };
    }
  /** The model was renamed; the rest here is to be deleted. */
  | { readonly kind: 'moved'; readonly moved: { readonly to: string; readonly moveId: string } }
  /** The model was deleted; the rest here is to be deleted. */
  | { readonly kind: 'deleting' };

export type VersionBody = {
  readonly kind: 'version';
  readonly version: {
    readonly model: string;
    readonly version: number;
    readonly createdAt: number;
    readonly updatedAt: number;
    readonly stage: Stage;
    readonly source: string;
    /** Indexed, so that retention finds references to artifacts. */
    readonly storageLocation: string;
    readonly runId?: string;
    readonly modelId?: string;
  };
  readonly tags: Tags;
  readonly detail: {
    readonly description: string;
    readonly runLink?: string;
    readonly createdBy: string;
    readonly file?: ModelFile;
    readonly metrics: Readonly<Record<string, number>>;
    readonly params: Tags;
    readonly lineage: ModelLineage;
    readonly signature?: ModelSignature;
    readonly serving: ServingCheck;
    readonly approval?: Approval;
  };
};

/** Keeps the number of a deleted version taken. */
export type DeletedVersionBody = {
  readonly kind: 'deletedVersion';
  readonly deletedVersion: { readonly version: number; readonly deletedAt: number };
};

export type AliasBody = { readonly kind: 'alias'; readonly alias: Omit<Alias, 'model'> };
/** The version that an idempotency key registered. Those of earlier builds have a pipeline run for a key. */
export type RegistrationBody = { readonly kind: 'run'; readonly version: number };
/** The move of an alias that an idempotency key made. */
export type MoveBody = { readonly kind: 'run'; readonly moved: Omit<Alias, 'model'> };
export type ApprovalBody = { readonly kind: 'approval'; readonly approval: Approval };

/** Documents that follow a model when it is renamed or deleted. Events stay, as history. */
export const movingKinds = ['version', 'deletedVersion', 'alias', 'run', 'approval'] as const;

export const headId = 'head';
export const versionId = (version: number) => `version-${String(version).padStart(10, '0')}`;
export const registrationId = (key: string) => `run-${key}`;
export const aliasMoveId = (key: string) => `moved-${key}`;
export const approvalDocumentId = (id: string) => `approval-${id}`;
/** Aliases can be longer than ids, and then are hashed; no alias contains a dot. */
export const aliasId = (alias: string) => (alias.length <= 200 ? `alias-${alias}` : `alias.${sha256(alias)}`);

export type StoredHead = StoredDocument<HeadBody & JsonObject>;
export type StoredVersion = StoredDocument<VersionBody & JsonObject>;

export function toModel({ model, tags, detail }: HeadBody): Model {
  const { description, aliases, latestByStage, approvalPolicy } = detail;
  return {
    ...model,
    description,
    tags,
    aliases,
    latestByStage,
    ...(approvalPolicy === undefined ? {} : { approvalPolicy }),
  };
}

export function toVersion({ version, tags, detail }: VersionBody): ModelVersion {
  const { file } = detail;
  return {
    ...version,
    ...detail,
    tags,
    ...(file === undefined ? {} : { sha256: file.sha256, sizeBytes: file.sizeBytes }),
  };
}

export function toVersionBody(given: ModelVersion): VersionBody {
  const { model, version, createdAt, updatedAt, stage, source, runId: run, modelId, tags } = given;
  const { description, storageLocation, runLink, createdBy, file, metrics, params } = given;
  const { lineage, signature, serving, approval } = given;
  return {
    kind: 'version',
    version: {
      model,
      version,
      createdAt,
      updatedAt,
      stage,
      source,
      storageLocation,
      ...(run === undefined ? {} : { runId: run }),
      ...(modelId === undefined ? {} : { modelId }),
    },
    tags,
    detail: {
      description,
      createdBy,
      metrics,
      params,
      lineage,
      serving,
      ...(runLink === undefined ? {} : { runLink }),
      ...(file === undefined ? {} : { file }),
      ...(signature === undefined ? {} : { signature }),
      ...(approval === undefined ? {} : { approval }),
    },
  };
}

/** Bodies are plain JSON by construction. */
export function asJson(body: object): JsonObject {
  return body as JsonObject;
}

export function replaceHead(head: StoredHead, body: HeadBody): BatchOperation {
  return { kind: 'replace', id: headId, body: asJson(body), etag: head.etag };
}

/** The time of a model's next event: events keep the order of the changes even if the clocks of machines differ. */
export function nextEventAt(head: HeadBody, now: number): number {
  return Math.max(now, (head.detail.eventAt ?? 0) + 1);
}

export function replaceVersion(stored: StoredVersion, body: VersionBody): BatchOperation {
  return { kind: 'replace', id: stored.id, body: asJson(body), etag: stored.etag };
}

/** The aliases that point at a version, by name. */
export function aliasesOf(
  aliases: Readonly<Record<string, number>> | undefined,
  version: number,
): readonly string[] {
  return Object.entries(aliases ?? {})
    .filter(([, target]) => target === version)
    .map(([alias]) => alias)
    .sort();
}

export function toView(version: VersionBody, head: HeadBody): ModelVersionView {
  return { ...toVersion(version), aliases: aliasesOf(head.detail.aliases, version.version.version) };
}

/** Copies entries with one set, whatever its key (`__proto__` is a legal one). */
export function withEntry<T>(
  entries: Readonly<Record<string, T>>,
  key: string,
  value: T,
): Readonly<Record<string, T>> {
  return Object.fromEntries([...Object.entries(entries).filter(([name]) => name !== key), [key, value]]);
}

export function withoutEntry<T>(
  entries: Readonly<Record<string, T>>,
  key: string,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => name !== key));
}
