import { AppError } from '../../core/errors.ts';
import { isArray, type JsonObject, type JsonValue } from '../../core/json/json.ts';
import { isJsonObject } from '../../core/json/member-at.ts';

/** Delta's names of column types. Nested types are refused. */
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
  /** Free-form; most readers show `comment`. */
  readonly metadata?: JsonObject;
}

/**
 * The `schemaString` of a table.
 *
 * @throws INVALID_ARGUMENT for names that are empty or equal ignoring case, and for unknown types
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format
 * @example
 * formatSchema([{ name: 'n', type: 'long', nullable: true }]) // '{"type":"struct","fields":[{"name":"n","type":"long","nullable":true,"metadata":{}}]}'
 */
export function formatSchema(columns: readonly DeltaColumn[]): string {
  checkNames(columns, 'INVALID_ARGUMENT');
  for (const { name, type } of columns) checkType(name, type, 'INVALID_ARGUMENT');
  const fields = columns.map(({ name, type, nullable, metadata = {} }) => ({
    name,
    type,
    nullable,
    metadata,
  }));
  return JSON.stringify({ type: 'struct', fields });
}

/**
 * @throws UNPROCESSABLE for nested types, for names that are equal ignoring case, and for an invalid schema
 * @example
 * parseSchema('{"type":"struct","fields":[{"name":"n","type":"long","nullable":true,"metadata":{}}]}') // [{ name: 'n', type: 'long', nullable: true }]
 */
export function parseSchema(schemaString: string): readonly DeltaColumn[] {
  const fields = readFields(schemaString);
  const columns = fields.map((field): DeltaColumn => {
    if (!isJsonObject(field)) throw notSchema('a field is not an object');
    const { name, type, nullable, metadata } = field;
    if (typeof name !== 'string') throw notSchema('a field has no name');
    const known = checkType(name, type, 'UNPROCESSABLE');
    const column = { name, type: known, nullable: nullable !== false };
    const hasMetadata = metadata !== undefined && isJsonObject(metadata) && Object.keys(metadata).length > 0;
    return hasMetadata ? { ...column, metadata } : column;
  });
  checkNames(columns, 'UNPROCESSABLE');
  return columns;
}

function readFields(schemaString: string): readonly JsonValue[] {
  let schema: JsonValue;
  try {
    schema = JSON.parse(schemaString) as JsonValue;
  } catch (error) {
    throw notSchema('it is not JSON', error);
  }
  if (!isJsonObject(schema) || schema['type'] !== 'struct') throw notSchema('it is not a struct');
  const fields = schema['fields'];
  if (fields === undefined || !isArray(fields)) throw notSchema('it has no fields');
  return fields;
}

type Refusal = 'INVALID_ARGUMENT' | 'UNPROCESSABLE';

const primitive =
  /^(string|long|integer|short|byte|float|double|boolean|binary|date|timestamp|timestamp_ntz)$/;

function checkType(name: string, type: JsonValue | undefined, refusal: Refusal): DeltaType {
  if (typeof type === 'string') {
    if (primitive.test(type)) return type as DeltaType;
    const [, precision, scale] = /^decimal\((\d+),\s*(\d+)\)$/.exec(type) ?? [];
    if (precision !== undefined && scale !== undefined) {
      const [p, s] = [Number(precision), Number(scale)];
      if (p >= 1 && p <= 38 && s <= p) return `decimal(${p},${s})`;
    }
  }
  const shown = typeof type === 'string' ? `"${type.slice(0, 100)}"` : 'nested';
  throw new AppError(refusal, `Column "${name}" has the type ${shown}, which is not supported.`, {
    column: name,
  });
}

/** Delta preserves case, and requires names to be unique ignoring case. */
function checkNames(columns: readonly DeltaColumn[], refusal: Refusal): void {
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    if (name === '') throw new AppError(refusal, 'A column of a Delta table must have a name.');
    if (!name.isWellFormed())
      throw new AppError(refusal, `The column name ${JSON.stringify(name)} is not valid Unicode.`);
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      const message = `The columns "${other}" and "${name}" have the same name ignoring case; rename one.`;
      throw new AppError(refusal, message, { column: name });
    }
    seen.set(name.toLowerCase(), name);
  }
}

function notSchema(why: string, cause?: unknown): AppError {
  return new AppError('UNPROCESSABLE', `The table's schema cannot be read: ${why}.`, {}, cause);
}
