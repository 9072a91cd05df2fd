import { createParquetReader } from '../adapters/duckdb/scanning/parquet-reader.ts';
import { writeModel } from '../adapters/onnx/files/write-model.ts';
import { runTrainingWorker } from '../domains/training/run-training-worker.ts';

/** The training thread. */
runTrainingWorker({
  openReader: ({ threads, memoryLimitMb }) => createParquetReader({ threads, memoryLimitMb }),
  writeModel,
});
