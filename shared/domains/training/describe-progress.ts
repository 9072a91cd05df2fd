import type { TrainingProgress } from './train.ts';

/**
 * How far a training is, and what it does, for people. Reading counts as half of it, fitting as most of the rest.
 *
 * @returns A fraction that never goes back, and one line.
 * @example
 * describeProgress({ phase: 'reading', rows: 50, totalRows: 100 }) // [0.25, 'read 100 rows']
 * describeProgress({ phase: 'fitting', iteration: 1, maxIterations: 4, objective: 7 }) // [0.6, 'iteration 1']
 */
export function describeProgress(progress: TrainingProgress): [fraction: number, message: string] {
  switch (progress.phase) {
    case 'reading':
      return [(0.5 * progress.rows) / Math.max(1, progress.totalRows), `read ${progress.totalRows} rows`];
    case 'fitting':
      return [0.5 + (0.4 * progress.iteration) / progress.maxIterations, `iteration ${progress.iteration}`];
    case 'evaluating':
      return [0.95, `measuring on ${progress.rows} held-out rows`];
  }
}
