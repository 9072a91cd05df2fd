import { runInspectWorker } from '../adapters/onnx/inspection/run-inspect-worker.ts';

/** The thread that opens one model from outside. */
runInspectWorker();
