import type { Figure } from './figure.ts';

/** Experiment tracking against `mlflow server`, measured in the same run. */
export async function* trackingBench(): AsyncGenerator<Figure> {}
