import { tmpdir } from 'node:os';
import type { DatasetsDeps } from '../../domains/datasets/datasets.ts';
import type { ScratchFolders } from '../../platform/storage/scratch.ts';
import { createCheckpointFiles } from './checkpoint-files.ts';
import { createTableConverters } from './conversion/table-converter.ts';
import { createRowDiffer } from './diffing/row-differ.ts';
import { createTableMerger } from './merging/table-merger.ts';
import { createTableProfiler } from './profiling/table-profiler.ts';

export interface TableToolsOptions {
  readonly threads: number;
  readonly memoryLimitMb: number;
}

/** What datasets do with tables, in DuckDB. */
export function createTableTools(
  deps: { readonly scratch: ScratchFolders },
  options: TableToolsOptions,
): Pick<DatasetsDeps, 'checkpoints' | 'converters' | 'merger' | 'profiler' | 'differ'> {
  const withTemporaryFiles = { ...options, tempDirectory: tmpdir() };
  return {
    checkpoints: createCheckpointFiles(deps.scratch),
    converters: createTableConverters(options),
    merger: createTableMerger(options),
    profiler: createTableProfiler(withTemporaryFiles),
    differ: createRowDiffer(withTemporaryFiles),
  };
}
