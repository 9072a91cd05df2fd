import { runScoreWorker } from '../adapters/onnx/scoring/run-score-worker.ts';

/** The scoring thread. */
runScoreWorker();
