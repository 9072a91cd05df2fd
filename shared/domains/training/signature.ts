import { AppError } from '../../core/errors.ts';
import type { ColumnType, Signature } from '../serving/signature.ts';
import { featureName, type Feature } from './entities.ts';
import type { ColumnKind, TableShape } from './table-reader.ts';

/**
 * The columns that a model with these features requires of a scoring request: each once, by its type in the training
 * table, and the inputs derived from it.
 *
 * @throws AppError INVALID_ARGUMENT for a column that is not there, or whose type does not suit the feature.
 */
export function deriveSignature(features: readonly Feature[], shape: TableShape): Signature {
  const kinds = new Map(shape.columns.map((column) => [column.name, column]));
  const types = new Map<string, ColumnType>();
  const inputs = features.map((feature): Signature['inputs'][number] => {
    const column = kinds.get(feature.column);
    if (column === undefined)
      throw new AppError('INVALID_ARGUMENT', `The table has no column "${feature.column}".`, {
        column: feature.column,
      });
    const type = columnType(feature, column.kind);
    if (type === undefined)
      throw new AppError(
        'INVALID_ARGUMENT',
        `Column "${column.name}" is of type ${column.type}: it cannot be the ${feature.kind} feature "${featureName(feature)}"${feature.part === undefined && column.kind === 'timestamp' ? ' (name a part of it, such as "hourOfDay")' : ''}.`,
        { column: column.name, type: column.type },
      );
    // A category needs whole numbers; where another feature takes the column as a number, that still holds.
    if (types.get(column.name) !== 'integer') types.set(column.name, type);
    const input = { name: featureName(feature), column: feature.column };
    if (feature.kind === 'numeric')
      return { ...input, tensor: 'float32', ...(feature.part !== undefined && { part: feature.part }) };
    return feature.part === undefined
      ? { ...input, tensor: 'string' }
      : { ...input, tensor: 'int64', part: feature.part };
  });
  return { columns: Array.from(types, ([name, type]) => ({ name, type })), inputs };
}

function columnType(feature: Feature, kind: ColumnKind): ColumnType | undefined {
  if (feature.part !== undefined) return kind === 'timestamp' ? 'timestamp' : undefined;
  switch (kind) {
    case 'integer':
      return feature.kind === 'categorical' ? 'integer' : 'number';
    case 'boolean':
      return 'boolean';
    case 'float':
      return feature.kind === 'numeric' ? 'number' : undefined;
    case 'string':
      return feature.kind === 'categorical' ? 'string' : undefined;
    case 'timestamp':
    case 'other':
      return undefined;
  }
}
