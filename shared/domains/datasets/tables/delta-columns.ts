import { AppError } from '../../../core/errors.ts';
import type { DeltaColumn, DeltaType } from '../../../formats/delta/schema.ts';
import { type Column, type ColumnType, columnTypeSchema } from '../schema/column.ts';

const fromDelta: Readonly<Record<string, ColumnType>> = {
  byte: 'int64',
  short: 'int64',
  integer: 'int64',
  long: 'int64',
  float: 'double',
};

/** Where a note on a column's type is kept in the table's schema. */
const noteKey = 'slipway.note';

export function toDeltaColumns(columns: readonly Column[]): readonly DeltaColumn[] {
  return columns.map(({ name, type, nullable, note }) => ({
    name,
    type: toDeltaType(type),
    nullable,
    metadata: note === undefined ? {} : { [noteKey]: note },
  }));
}

function toDeltaType(type: ColumnType): DeltaType {
  return type === 'int64' ? 'long' : type;
}

/** @throws UNPROCESSABLE for a type of another writer's that datasets do not have */
export function fromDeltaColumns(columns: readonly DeltaColumn[]): readonly Column[] {
  return columns.map(({ name, type, nullable, metadata }) => {
    const known = Object.hasOwn(fromDelta, type) ? fromDelta[type] : undefined;
    const parsed = columnTypeSchema.safeParse(known ?? type.replaceAll(' ', ''));
    if (!parsed.success)
      throw new AppError(
        'UNPROCESSABLE',
        `The column "${name}" has the type ${type}, which datasets do not have.`,
        {
          column: name,
        },
      );
    const note = metadata?.[noteKey];
    return { name, type: parsed.data, nullable, ...(typeof note === 'string' ? { note } : {}) };
  });
}
