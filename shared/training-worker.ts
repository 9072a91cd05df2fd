import { createParquetReader } from './duckdb/parquet-reader.ts';
import { writeModel } from './onnx/write-model.ts';
import { runTrainingWorker } from './training/worker.ts';

/** The training thread's composition root, as app.ts is the main thread's. */
await runTrainingWorker({
  openReader: ({ threads, memoryLimitMb }) => createParquetReader({ threads, memoryLimitMb }),
  writeModel,
});
