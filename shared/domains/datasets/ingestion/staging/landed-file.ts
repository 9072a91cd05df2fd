import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import type { DatasetSettings } from '../../catalog/settings.ts';
import type { Mode, Source } from '../../entities.ts';
import type { LocalDataFile } from './local-data-file.ts';
import type { StagedFile } from './manifest.ts';

/** @param fraction 0 to 1 */
export type Report = (fraction: number, message: string) => void;

/** What is known of a file before its rows are read, and how to store its rows. */
export interface LandedFile {
  readonly dataset: string;
  readonly source: Source;
  /** The newest version of the dataset's table. */
  readonly snapshot: Snapshot | undefined;
  readonly settings: DatasetSettings;
  readonly mode: Mode;
  readonly keys: readonly string[];
  /** A scratch folder that no other ingestion uses. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Opens the file and hashes its bytes while they are read. May be called once. */
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
  readonly store: (file: LocalDataFile) => Promise<StagedFile>;
}
