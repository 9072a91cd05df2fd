import { AppError } from '../../../../core/errors.ts';
import { checkContract, type IncomingColumn } from '../../schema/check-contract.ts';
import type { Column } from '../../schema/column.ts';

/**
 * The columns that a dataset has after a file is ingested.
 *
 * @param contract undefined before the first version: the file's columns become the dataset's
 * @throws UNPROCESSABLE naming every column that breaks the contract
 */
export function keepContract(
  contract: readonly Column[] | undefined,
  incoming: readonly IncomingColumn[],
): readonly Column[] {
  const { columns, problems } = checkContract(contract ?? [], incoming);
  if (problems.length === 0) return columns;
  const shown = problems.slice(0, 20).map(({ message }) => message);
  throw new AppError('UNPROCESSABLE', shown.join(' '), {
    problems: problems.slice(0, 100).map(({ kind, column }) => ({ kind, column })),
  });
}

export function toIncoming({ name, type, note }: Column): IncomingColumn {
  return { name, type, ...(note === undefined ? {} : { note }) };
}
