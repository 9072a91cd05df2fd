import type { Action } from './actions.ts';
import { ownProtocol } from './protocol.ts';
import { type DeltaColumn, formatSchema } from './schema.ts';

export interface NewTable {
  /** A UUID. */
  readonly id: string;
  readonly name?: string;
  readonly columns: readonly DeltaColumn[];
  /** Over `defaultConfiguration`. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Milliseconds since the Unix epoch. */
  readonly createdTime: number;
}

/**
 * Ten years of time travel: other writers, too, then leave the log and removed files alone. Our own vacuum knows
 * which versions are pinned and goes by its own retention.
 */
export const defaultConfiguration: Readonly<Record<string, string>> = {
  'delta.logRetentionDuration': 'interval 3650 days',
  'delta.deletedFileRetentionDuration': 'interval 3650 days',
  'delta.enableExpiredLogCleanup': 'false',
};

/**
 * The actions that version 0 begins with; files may follow in the same commit.
 *
 * @throws INVALID_ARGUMENT for columns that no Delta table can have, see `formatSchema`
 */
export function createTable({ id, name, columns, configuration, createdTime }: NewTable): readonly Action[] {
  return [
    { kind: 'protocol', protocol: ownProtocol },
    {
      kind: 'metaData',
      metadata: {
        id,
        ...(name === undefined ? {} : { name }),
        format: { provider: 'parquet', options: {} },
        schemaString: formatSchema(columns),
        partitionColumns: [],
        configuration: { ...defaultConfiguration, ...configuration },
        createdTime,
      },
    },
  ];
}
