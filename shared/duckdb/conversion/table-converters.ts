import { AppError } from '../../core/errors.ts';
import type { TableConverters } from '../../datasets/schema/ports.ts';

/** Types rows through DuckDB. */
export function createTableConverters(limits: {
  readonly threads: number;
  readonly memoryLimitMb: number;
}): TableConverters {
  return {
    open: () => Promise.reject(new AppError('NOT_IMPLEMENTED', 'Being built.', { ...limits })),
  };
}
