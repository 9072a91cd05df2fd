import type { ChunkSize } from '../../../../formats/tabular/cut-chunks.ts';
import type { Column } from '../../schema/column.ts';
import type { BadRows } from '../bad-rows/bad-rows.ts';
import type { StagedFile } from './manifest.ts';

/** The rows of a landed file, typed and stored. */
export interface TypedRows {
  readonly columns: readonly Column[];
  readonly files: readonly TypedFile[];
  readonly bad: readonly BadRows[];
  readonly rowsIn: number;
  readonly notes: readonly string[];
  readonly chunkSize?: ChunkSize;
  /** Of a text file with a header. */
  readonly header?: readonly string[];
}

export interface TypedFile {
  readonly staged: StagedFile;
  /** The local copy, kept while rows may have to be removed from it. */
  readonly path: string;
  readonly places?: RowPlaces;
}

/** Where each row of a data file was in the landed file. */
export interface RowPlaces {
  readonly numbers: Float64Array;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}
