import type { BadRow, TextChunk } from '../../../formats/tabular/text-chunk.ts';
import type { ColumnType } from '../../../domains/datasets/schema/column.ts';
import { classify, nullWordsOf } from '../../../domains/datasets/schema/strict-types.ts';
import type { RowFault } from './row-checks.ts';

const maxRawBytes = 65_536;

/** @param record its position in the chunk */
export function toBadRow(
  chunk: TextChunk,
  record: number,
  raw: string,
  fault: Pick<BadRow, 'code' | 'reason' | 'column'>,
): BadRow {
  return {
    row: chunk.numbers[record]!,
    byteOffset: chunk.offsets[record]!,
    byteLength: chunk.lengths[record]!,
    ...fault,
    ...cutRaw(raw),
  };
}

export function cutRaw(raw: string): Pick<BadRow, 'raw' | 'isCut'> {
  if (raw.length <= maxRawBytes / 4) return { raw };
  const bytes = Buffer.from(raw);
  if (bytes.length <= maxRawBytes) return { raw };
  let end = maxRawBytes;
  // Between characters.
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return { raw: bytes.toString('utf8', 0, end), isCut: true };
}

/** Says what is wrong with a value, and what is expected. */
export function explainFault(
  { column, rule }: RowFault,
  text: string | null,
): Pick<BadRow, 'code' | 'reason' | 'column'> {
  const { name, type } = column;
  const shown =
    text === null ? 'an empty value' : JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
  if (rule) {
    const isEmpty = text === null || nullWordsOf(type).includes(text);
    const found = isEmpty ? 'it is empty' : `it is ${shown}`;
    return {
      column: name,
      code: rule.code,
      reason: rule.code === 'MISSING_VALUE' ? `${found}, and ${rule.expected}` : `${found}; ${rule.expected}`,
    };
  }
  if (text === null || !isOutOfRange(type, text))
    return {
      column: name,
      code: 'WRONG_TYPE',
      reason: `${shown} is not a valid ${type}; expected a value such as ${exampleOf(type)}`,
    };
  return {
    column: name,
    code: 'OUT_OF_RANGE',
    reason: `${shown} is out of range: ${type} cannot hold it exactly`,
  };
}

function isOutOfRange(type: ColumnType, text: string): boolean {
  const kind = classify(text);
  const isWhole = kind === 'integer' || kind === 'longInteger' || kind === 'bigInteger';
  switch (type) {
    case 'int64':
      return isWhole || /^-?[1-9][0-9]{18,}$/.test(text);
    case 'double':
      return /^-?[0-9]/.test(text) && text.trim() === text && Math.abs(Number(text)) > 2 ** 49;
    case 'date':
    case 'timestamp':
    case 'boolean':
    case 'string':
    case 'binary':
      return false;
    default:
      return isWhole || /^-?[0-9]+(\.[0-9]+)?$/.test(text);
  }
}

function exampleOf(type: ColumnType): string {
  switch (type) {
    case 'int64':
      return '42';
    case 'double':
      return '0.25 or 1.5e-3';
    case 'boolean':
      return 'true or false';
    case 'date':
      return '2024-02-29';
    case 'timestamp':
      return '2024-02-29T12:30:00Z';
    case 'string':
      return 'text';
    case 'binary':
      return 'bytes, which only Parquet files have';
    default:
      return '12.50';
  }
}
