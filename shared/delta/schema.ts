import { AppError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';

/** Delta's names of the types that a column can have; nested types are refused. */
export type DeltaType =
  | 'string'
  | 'long'
  | 'integer'
  | 'short'
  | 'byte'
  | 'float'
  | 'double'
  | 'boolean'
  | 'binary'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'
  | `decimal(${number},${number})`;

export interface DeltaColumn {
  readonly name: string;
  readonly type: DeltaType;
  readonly nullable: boolean;
  /** Free-form; `comment` is shown by most readers. */
  readonly metadata?: JsonObject;
}
