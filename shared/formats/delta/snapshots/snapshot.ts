import { AppError } from '../../../core/errors.ts';
import type {
  Action,
  AddFile,
  LogCommit,
  Metadata,
  Protocol,
  RemoveFile,
  Transaction,
} from '../log/actions.ts';
import { checkReadable } from '../protocol.ts';
import { type DeltaColumn, parseSchema } from '../schema.ts';

/** The state of a table at one version. */
export interface Snapshot {
  readonly version: number;
  /** The time of the commit, in milliseconds since the Unix epoch. Ascends with versions. */
  readonly timestamp: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly columns: readonly DeltaColumn[];
  /** By path, in the order in which the log last added them. `dataChange`, which concerns a commit only, is false. */
  readonly files: ReadonlyMap<string, AddFile>;
  /** By path: removed files. A checkpoint drops those past their retention. */
  readonly tombstones: ReadonlyMap<string, RemoveFile>;
  /** By application. */
  readonly transactions: ReadonlyMap<string, Transaction>;
}

/**
 * Applies commits one after the other, starting empty or from a snapshot, which does not change.
 *
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#action-reconciliation
 */
export class Replay {
  readonly #files: Map<string, AddFile>;
  readonly #tombstones: Map<string, RemoveFile>;
  readonly #transactions: Map<string, Transaction>;
  #protocol: Protocol | undefined;
  #metadata: Metadata | undefined;
  #columns: readonly DeltaColumn[] = [];
  #version: number;
  #timestamp: number;

  constructor(from?: Snapshot) {
    this.#files = new Map(from?.files);
    this.#tombstones = new Map(from?.tombstones);
    this.#transactions = new Map(from?.transactions);
    this.#protocol = from?.protocol;
    this.#metadata = from?.metadata;
    this.#columns = from?.columns ?? [];
    this.#version = from?.version ?? -1;
    this.#timestamp = from?.timestamp ?? 0;
  }

  /** -1 before the first commit. */
  get version(): number {
    return this.#version;
  }

  /** @throws UNPROCESSABLE for a protocol or a schema that is not supported */
  apply({ version, timestamp, actions }: LogCommit): this {
    for (const action of actions) this.applyAction(action);
    this.#version = version;
    this.#timestamp = timestamp;
    return this;
  }

  applyAction(action: Action): void {
    switch (action.kind) {
      case 'commitInfo':
        return;
      case 'protocol':
        checkReadable(action.protocol);
        this.#protocol = action.protocol;
        return;
      case 'metaData':
        this.#columns = parseSchema(action.metadata.schemaString);
        this.#metadata = action.metadata;
        return;
      case 'txn':
        this.#transactions.set(action.transaction.appId, action.transaction);
        return;
      case 'add':
        this.#tombstones.delete(action.file.path);
        this.#files.delete(action.file.path);
        this.#files.set(action.file.path, settle(action.file));
        return;
      case 'remove':
        this.#files.delete(action.file.path);
        this.#tombstones.delete(action.file.path);
        this.#tombstones.set(action.file.path, settle(action.file));
        return;
    }
  }

  /** The resulting snapshot, which takes the maps of the replay: it cannot continue. */
  finish(): Snapshot {
    if (this.#protocol === undefined || this.#metadata === undefined)
      throw new AppError(
        'UNPROCESSABLE',
        `The Delta log is broken: version ${this.#version} has no protocol or no metadata.`,
      );
    return {
      version: this.#version,
      timestamp: this.#timestamp,
      protocol: this.#protocol,
      metadata: this.#metadata,
      columns: this.#columns,
      files: this.#files,
      tombstones: this.#tombstones,
      transactions: this.#transactions,
    };
  }
}

/** Applies commits to a snapshot. */
export function replay(from: Snapshot | undefined, commits: readonly LogCommit[]): Snapshot {
  const replayed = new Replay(from);
  for (const commit of commits) replayed.apply(commit);
  return replayed.finish();
}

function settle<T extends AddFile | RemoveFile>(file: T): T {
  return file.dataChange ? { ...file, dataChange: false } : file;
}
