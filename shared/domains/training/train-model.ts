import type { TrainModel } from './ports.ts';
import type { TrainingRunner } from './runner.ts';
import type { TrainingProgress } from './train.ts';

/** The port that pipelines train through, over the training thread. */
export function createTrainModel(
  runner: TrainingRunner,
  limits: { readonly threads: number; readonly memoryLimitMb: number },
): TrainModel {
  return async ({ paths, spec, lineage, signal, report }) => {
    const { dataset, codeVersion } = lineage;
    const metadata = {
      'slipway.dataset': `${dataset.name}@${dataset.version}`,
      'slipway.dataset.sha256': dataset.sha256,
      'slipway.code': codeVersion,
    };
    const outcome = await runner.train(
      { paths, spec, metadata, ...limits },
      { signal, onProgress: (progress) => report(...describe(progress)) },
    );
    return { onnx: outcome.model, sha256: outcome.sha256, metrics: { ...outcome.report.metrics } };
  };
}

/** How far the training is (reading takes about half of it), and what it is at. */
function describe(progress: TrainingProgress): [fraction: number, message: string] {
  switch (progress.phase) {
    case 'reading':
      return [(0.5 * progress.rows) / Math.max(1, progress.totalRows), `read ${progress.totalRows} rows`];
    case 'fitting':
      return [0.5 + (0.4 * progress.iteration) / progress.maxIterations, `iteration ${progress.iteration}`];
    case 'evaluating':
      return [0.95, `measuring on ${progress.rows} held-out rows`];
  }
}
