import { sha256 } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { metadataContainers } from '../../core/names.ts';
import type { BatchOperation, StoredDocument } from '../../platform/storage/documents.ts';
import type {
  Alias,
  Approval,
  ApprovalPolicy,
  Lineage,
  Model,
  ModelFile,
  ModelSignature,
  ModelVersion,
  ModelVersionView,
  Serving,
  Stage,
  Tags,
} from './entities.ts';

/*
 * What lies in the container `registry`: one partition a model, under its name. Every change replaces the head under
 * its ETag, so changes to one model happen one after another. What stands under `detail` is not indexed.
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
    /** The model is being renamed: nothing else changes meanwhile. */
    readonly move?: Move;
    /** The time of its last event: the next one's is later, whichever machine writes it. */
    readonly eventAt?: number;
    /** Its last name: a repeated rename is recognised by it. */
    readonly renamedFrom?: string;
  };
};

export interface Move {
  readonly moveId: string;
  readonly to: string;
  readonly at: number;
  readonly by: string;
}

/** In place of a head. Each stands for something unfinished that whoever comes across it finishes. */
export type Marker =
  /** The new name is taken for a model that is on its way there, with the head it will have. */
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
  /** The model went to another name; what is left here is to be removed. */
  | { readonly kind: 'moved'; readonly moved: { readonly to: string; readonly moveId: string } }
  /** The model was deleted; what is left here is to be removed. */
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
    /** Indexed, for those who ask whether anything still refers to some artifacts. */
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
    readonly lineage: Lineage;
    readonly signature?: ModelSignature;
    readonly serving: Serving;
    readonly approval?: Approval;
  };
};

/** Its number stays taken; nothing else of it stays. */
export type DeletedVersionBody = {
  readonly kind: 'deletedVersion';
  readonly deletedVersion: { readonly version: number; readonly deletedAt: number };
};

export type AliasBody = { readonly kind: 'alias'; readonly alias: Omit<Alias, 'model'> };
/** A pipeline run registers one version, however often its step is repeated. */
export type RunBody = { readonly kind: 'run'; readonly version: number };
export type ApprovalBody = { readonly kind: 'approval'; readonly approval: Approval };

/** What goes with a model when it is renamed or deleted. Events stay: they are history. */
export const movingKinds = ['version', 'deletedVersion', 'alias', 'run', 'approval'] as const;

export const headId = 'head';
export const versionId = (version: number) => `version-${String(version).padStart(10, '0')}`;
export const runDocumentId = (run: string) => `run-${run}`;
export const approvalDocumentId = (id: string) => `approval-${id}`;
/** Ids are shorter than aliases may be; no alias has a dot. */
export const aliasId = (alias: string) => (alias.length <= 200 ? `alias-${alias}` : `alias.${sha256(alias)}`);

export type Head = StoredDocument<HeadBody & JsonObject>;
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

/** A body as the store takes it: plain JSON by construction. */
export function asJson(body: object): JsonObject {
  return body as JsonObject;
}

export function replaceHead(head: Head, body: HeadBody): BatchOperation {
  return { kind: 'replace', id: headId, body: asJson(body), etag: head.etag };
}

/** When the next event of a model is: in the order of its changes, though the clocks of two machines differ. */
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

/** A copy with one member set, whatever its name (`__proto__` is a legal one). */
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
