import { runInspectWorker } from '../adapters/onnx/run-inspect-worker.ts';

/** The thread that opens one model from outside. */
runInspectWorker();
