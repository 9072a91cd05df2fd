import { runScoreWorker } from '../adapters/onnx/run-score-worker.ts';

/** The scoring thread. */
runScoreWorker();
