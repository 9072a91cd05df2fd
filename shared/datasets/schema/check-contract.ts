import { AppError } from '../../core/errors.ts';
import type { Column, ColumnType } from './column.ts';

/** A column of a file. Text has no `type` where the contract already says it: each row is checked against that. */
export interface IncomingColumn {
  readonly name: string;
  readonly type?: ColumnType;
  readonly note?: string;
}

export interface ContractProblem {
  readonly kind: 'NARROWED' | 'RENAMED' | 'MISSING' | 'OTHER_CASE';
  readonly column: string;
  /** For people: what is wrong, and what to do. */
  readonly message: string;
}

export interface ContractCheck {
  /** The columns from now on: those there are, then the added. */
  readonly columns: readonly Column[];
  readonly added: readonly Column[];
  /** When there is one, nothing of the file is taken. */
  readonly problems: readonly ContractProblem[];
}

/** Whether a file keeps to the columns that a dataset has. */
export function checkContract(
  current: readonly Column[],
  incoming: readonly IncomingColumn[],
): ContractCheck {
  throw new AppError('NOT_IMPLEMENTED', 'checkContract', { current, incoming });
}
