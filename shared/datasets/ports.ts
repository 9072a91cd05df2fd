import type { Column } from './entities.ts';

/** Looks into a data file. @throws UNPROCESSABLE when it is empty, corrupt or not what its name says */
export type InspectTable = (
  path: string,
) => Promise<{ readonly rows: number; readonly columns: readonly Column[] }>;
