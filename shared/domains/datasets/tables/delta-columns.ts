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

/** The metadata of a column in the table's schema that holds its note. */
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

/** @throws UNPROCESSABLE for a type that only other writers use */
export function fromDeltaColumns(columns: readonly DeltaColumn[]): readonly Column[] {
  return columns.map(({ name, type, nullable, metadata }) => {
    const known = Object.hasOwn(fromDelta, type) ? fromDelta[type] : undefined;
    const parsed = columnTypeSchema.safeParse(known ?? type.replaceAll(' ', ''));
    if (!parsed.success)
      throw new AppError(
        'UNPROCESSABLE',
        `The column "${name}" has the type ${type}, which datasets do not support.`,
        {
          column: name,
        },
      );
    const note = metadata?.[noteKey];
    return { name, type: parsed.data, nullable, ...(typeof note === 'string' ? { note } : {}) };
  });
}
