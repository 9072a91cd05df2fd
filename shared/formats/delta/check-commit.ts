import { AppError } from '../../core/errors.ts';
import type { Action, AddFile, RemoveFile } from './log/actions.ts';
import { checkWritable } from './protocol.ts';
import { parseSchema } from './schema.ts';
import type { Snapshot } from './snapshots/snapshot.ts';

/**
 * Refuses actions that would break the table for its readers.
 *
 * @param before the version that the commit follows; undefined for the first
 * @throws INVALID_ARGUMENT saying what is wrong with the actions; UNPROCESSABLE for a table that cannot be written to
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#actions
 */
export function checkCommit(before: Snapshot | undefined, actions: readonly Action[]): void {
  for (const kind of ['commitInfo', 'protocol', 'metaData'] as const) {
    if (actions.filter((action) => action.kind === kind).length > 1)
      throw refuse(`it has more than one ${kind}`);
  }
  const protocol = actions.find((action) => action.kind === 'protocol')?.protocol ?? before?.protocol;
  const metadata = actions.find((action) => action.kind === 'metaData')?.metadata ?? before?.metadata;
  if (protocol === undefined || metadata === undefined)
    throw refuse('the first version of a table needs a protocol and a metaData');
  if (before) checkWritable(before.protocol, before.metadata);
  checkWritable(protocol, metadata);
  if (metadata !== before?.metadata) parseSchema(metadata.schemaString);
  if (before && metadata.id !== before.metadata.id) throw refuse('it changes the id of the table');
  if (before && String(metadata.partitionColumns) !== String(before.metadata.partitionColumns))
    throw refuse('it changes the partition columns of the table');
  checkFiles(before, actions, {
    isAppendOnly: metadata.configuration['delta.appendOnly'] === 'true',
    partitionColumns: metadata.partitionColumns,
  });
}

interface TableRules {
  readonly isAppendOnly: boolean;
  readonly partitionColumns: readonly string[];
}

function checkFiles(before: Snapshot | undefined, actions: readonly Action[], rules: TableRules): void {
  const paths = new Set<string>();
  const applications = new Set<string>();
  for (const action of actions) {
    if (action.kind === 'txn') {
      const { appId, version } = action.transaction;
      if (applications.has(appId)) throw refuse(`it has more than one txn of "${appId}"`);
      applications.add(appId);
      checkWhole(`the version of the txn of "${appId}"`, version);
    }
    if (action.kind !== 'add' && action.kind !== 'remove') continue;
    const { path } = action.file;
    if (paths.has(path)) throw refuse(`it names "${path}" more than once`);
    paths.add(path);
    if (action.kind === 'add') checkAdded(before, action.file, rules);
    else checkRemoved(before, action.file, rules);
  }
}

function checkAdded(before: Snapshot | undefined, file: AddFile, rules: TableRules): void {
  const { path, size, modificationTime, partitionValues = {} } = file;
  checkWhole(`the size of "${path}"`, size);
  checkWhole(`the modification time of "${path}"`, modificationTime);
  const known = before?.files.get(path) ?? before?.tombstones.get(path);
  if (known?.size !== undefined && known.size !== size)
    throw refuse(
      `it changes the size of "${path}" from ${known.size} to ${size} bytes: data files never change`,
    );
  const { partitionColumns } = rules;
  const isPartitioned = partitionColumns.every((column) => Object.hasOwn(partitionValues, column));
  if (!isPartitioned || Object.keys(partitionValues).length !== partitionColumns.length)
    throw refuse(`the partition values of "${path}" do not match the table's partition columns`);
}

function checkRemoved(before: Snapshot | undefined, file: RemoveFile, rules: TableRules): void {
  if (!before?.files.has(file.path)) throw refuse(`it removes "${file.path}", which is not in the table`);
  if (rules.isAppendOnly && file.dataChange)
    throw new AppError(
      'UNPROCESSABLE',
      'The table is append-only (delta.appendOnly): rows cannot be removed.',
    );
}

function checkWhole(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw refuse(`${what} is ${value}, not a non-negative integer`);
}

function refuse(why: string): AppError {
  return new AppError('INVALID_ARGUMENT', `Invalid commit to a Delta table: ${why}.`);
}
