import { createParquetReader } from '../adapters/duckdb/scanning/parquet-reader.ts';
import { writeModel } from '../adapters/onnx/write-model.ts';
import { runTrainingWorker } from '../domains/training/worker.ts';

/** The training thread's composition root, as app.ts is the main thread's. */
await runTrainingWorker({
  openReader: ({ threads, memoryLimitMb }) => createParquetReader({ threads, memoryLimitMb }),
  writeModel,
});
