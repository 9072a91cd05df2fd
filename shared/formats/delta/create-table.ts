import type { Action, Metadata } from './log/actions.ts';
import { ownProtocol } from './protocol.ts';
import { type DeltaColumn, formatSchema } from './schema.ts';
import { listStatsColumns } from './stats/stats.ts';

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
  const metadata: Metadata = {
    id,
    ...(name === undefined ? {} : { name }),
    format: { provider: 'parquet', options: {} },
    schemaString: '',
    partitionColumns: [],
    configuration: { ...defaultConfiguration, ...configuration },
    createdTime,
  };
  return [
    { kind: 'protocol', protocol: ownProtocol },
    { kind: 'metaData', metadata: withColumns(metadata, columns) },
  ];
}

const statsColumns = 'delta.dataSkippingStatsColumns';

/**
 * The metadata of a table whose columns change. It also says which columns have statistics: delta-rs takes a column
 * that it expects to have bounds, and that has none (each boolean), to match no filter.
 *
 * @throws INVALID_ARGUMENT for columns that no Delta table can have, see `formatSchema`
 */
export function withColumns(metadata: Metadata, columns: readonly DeltaColumn[]): Metadata {
  const { [statsColumns]: _, ...others } = metadata.configuration;
  const names = listStatsColumns(columns).map((name) => `\`${name.replaceAll('`', '``')}\``);
  return {
    ...metadata,
    schemaString: formatSchema(columns),
    configuration: names.length === 0 ? others : { ...others, [statsColumns]: names.join(',') },
  };
}
