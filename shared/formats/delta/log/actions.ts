import type { JsonValue } from '../../../core/json/json.ts';

/**
 * An action of the transaction log; an entry has one per line. Unknown members are ignored.
 *
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#actions
 */
export type Action =
  | { readonly kind: 'commitInfo'; readonly info: CommitInfo }
  | { readonly kind: 'protocol'; readonly protocol: Protocol }
  | { readonly kind: 'metaData'; readonly metadata: Metadata }
  | { readonly kind: 'txn'; readonly transaction: Transaction }
  | { readonly kind: 'add'; readonly file: AddFile }
  | { readonly kind: 'remove'; readonly file: RemoveFile };

/** The actions of one version. */
export interface LogCommit {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly actions: readonly Action[];
}

/**
 * Provenance of a commit. Free-form but for the members that other readers use: Spark requires the values of
 * `operationParameters` and `operationMetrics` to be strings.
 */
export interface CommitInfo {
  /** Milliseconds since the Unix epoch; set by the table when it commits. */
  readonly timestamp?: number;
  readonly operation?: string;
  readonly operationParameters?: Readonly<Record<string, JsonValue>>;
  readonly operationMetrics?: Readonly<Record<string, JsonValue>>;
  /** Identifies the commit; set by the table when it commits. */
  readonly txnId?: string;
  /** Omitted for version 0; set by the table when it commits. */
  readonly readVersion?: number;
  readonly engineInfo?: string;
  readonly userMetadata?: string;
  readonly [member: string]: JsonValue | undefined;
}

export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[];
  readonly writerFeatures?: readonly string[];
}

export interface Metadata {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly format: { readonly provider: string; readonly options: TextMap };
  /** See `schema.ts`. */
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  readonly configuration: TextMap;
  /** Milliseconds since the Unix epoch. */
  readonly createdTime?: number;
}

/** The progress of an application, which makes its commits idempotent. */
export interface Transaction {
  readonly appId: string;
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly lastUpdated?: number;
}

export interface AddFile {
  /** Relative to the table. URI-encoded in the log only. */
  readonly path: string;
  /** Omitted if there are none. */
  readonly partitionValues?: NullableTextMap;
  readonly size: number;
  /** Milliseconds since the Unix epoch. */
  readonly modificationTime: number;
  /** False if the rows of the table do not change (new tags, a compaction). */
  readonly dataChange: boolean;
  /** JSON, see `stats.ts`. */
  readonly stats?: string;
  readonly tags?: NullableTextMap;
}

export interface RemoveFile {
  /** As in `AddFile`. */
  readonly path: string;
  /** Milliseconds since the Unix epoch. */
  readonly deletionTimestamp?: number;
  readonly dataChange: boolean;
  readonly partitionValues?: NullableTextMap;
  readonly size?: number;
  readonly tags?: NullableTextMap;
}

export type TextMap = Readonly<Record<string, string>>;
export type NullableTextMap = Readonly<Record<string, string | null>>;

/** The action that removes a file from the table. */
export function removeFile(
  file: AddFile,
  options: { readonly deletionTimestamp: number; readonly dataChange: boolean },
): Action {
  const { path, partitionValues, size } = file;
  return {
    kind: 'remove',
    file: { path, size, ...options, ...(partitionValues === undefined ? {} : { partitionValues }) },
  };
}
