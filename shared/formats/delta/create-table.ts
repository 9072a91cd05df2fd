import type { Action, Metadata } from './log/actions.ts';
import { ownProtocol } from './protocol.ts';
import { type DeltaColumn, formatSchema } from './schema.ts';
import { listStatsColumns } from './stats/stats.ts';

export interface NewTable {
  /** A UUID. */
  readonly id: string;
  readonly name?: string;
  readonly columns: readonly DeltaColumn[];
  /** Overrides `defaultConfiguration`. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Milliseconds since the Unix epoch. */
  readonly createdTime: number;
}

/**
 * Ten years of time travel, so that other writers do not delete the log or removed files either. Our vacuum uses its own
 * retention, and knows which versions are pinned.
 */
export const defaultConfiguration: Readonly<Record<string, string>> = {
  'delta.logRetentionDuration': 'interval 3650 days',
  'delta.deletedFileRetentionDuration': 'interval 3650 days',
  'delta.enableExpiredLogCleanup': 'false',
};

/**
 * The actions that create a table; files may follow in the same commit.
 *
 * @throws INVALID_ARGUMENT for invalid columns, see `formatSchema`
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
 * The metadata of a table with new columns. It lists the columns with statistics, because delta-rs matches no filter on a
 * column without bounds (such as a boolean) that it expects to have bounds.
 *
 * @throws INVALID_ARGUMENT for invalid columns, see `formatSchema`
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
