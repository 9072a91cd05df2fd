import type { Action } from './actions.ts';
import type { DeltaColumn } from './schema.ts';

export interface NewTable {
  /** A UUID. */
  readonly id: string;
  readonly name?: string;
  readonly columns: readonly DeltaColumn[];
  /** Over the defaults, see `defaultConfiguration`. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Milliseconds since the Unix epoch. */
  readonly createdTime: number;
}

/** The actions that version 0 begins with; files may follow in the same commit. */
export declare function createTable(table: NewTable): readonly Action[];
