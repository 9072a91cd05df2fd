import type { DuckDBDataChunk, DuckDBValue, DuckDBVector } from '@duckdb/node-api';
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import type { Column, ColumnType } from '../../../../domains/datasets/schema/column.ts';
import { quoteName } from '../../quote.ts';
import { readChunks } from '../../read-chunks.ts';
import { openTable } from '../open-table.ts';
import type { JobLimits } from '../job-limits.ts';

/** The end of a stream: a message of length 0. */
const endBytes = 8;

/**
 * Encodes rows as an Arrow IPC stream of int64, float64, decimal128, bool, date32, timestamp[us, UTC], utf8 and binary:
 * the schema, batches, and the end.
 *
 * @see https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
 */
export class ArrowEncoder {
  /** The schema's message. */
  readonly begin: Uint8Array;
  readonly end: Uint8Array;
  readonly #columns: readonly Column[];
  readonly #schema: Schema;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
    this.#schema = new Schema(
      columns.map(({ name, type, nullable }) => new Field(name, arrowType(type), nullable)),
    );
    const empty = write(this.#schema, []);
    this.begin = empty.subarray(0, -endBytes);
    this.end = empty.subarray(-endBytes);
  }

  /** Encodes the rows of a file, one batch per chunk of DuckDB (2,048 rows). */
  async *encode(path: string, limits: JobLimits): AsyncGenerator<Uint8Array> {
    using open = await openTable({ paths: [path], columns: this.#columns }, limits);
    // Blobs avoid decoding the texts.
    const values = this.#columns.map(({ name, type }) =>
      type === 'string' ? `encode(${quoteName(name)})` : quoteName(name),
    );
    const result = await open.connection.stream(`SELECT ${values.join(', ')} FROM (${open.select})`);
    for await (const chunk of readChunks(result, undefined)) yield this.#encodeChunk(chunk);
  }

  #encodeChunk(chunk: DuckDBDataChunk): Uint8Array {
    const length = chunk.rowCount;
    const children = this.#columns.map(({ type }, index) =>
      toData(type, chunk.getColumnVector(index), length),
    );
    const struct = makeData({ type: new Struct(this.#schema.fields), length, nullCount: 0, children });
    const whole = write(this.#schema, [new RecordBatch(this.#schema, struct)]);
    return whole.subarray(this.begin.length, -endBytes);
  }
}

function write(schema: Schema, batches: readonly RecordBatch[]): Uint8Array {
  const writer = new RecordBatchStreamWriter({ autoDestroy: false });
  writer.reset(undefined, schema);
  for (const batch of batches) writer.write(batch);
  writer.finish();
  return writer.toUint8Array(true);
}

function arrowType(type: ColumnType): DataType {
  switch (type) {
    case 'int64':
      return new Int64();
    case 'double':
      return new Float64();
    case 'boolean':
      return new Bool();
    case 'date':
      return new DateDay();
    case 'timestamp':
      return new TimestampMicrosecond('UTC');
    case 'string':
      return new Utf8();
    case 'binary':
      return new Binary();
    default: {
      const [precision = 38, scale = 0] = [...type.matchAll(/\d+/g)].map(Number);
      return new Decimal(scale, precision, 128);
    }
  }
}

/** The fields of DuckDB's values that hold what Arrow needs. */
interface Values {
  readonly days: number;
  readonly micros: bigint;
  /** Of a decimal: the unscaled value. */
  readonly value: bigint;
  readonly bytes: Uint8Array;
}

function toData(type: ColumnType, vector: DuckDBVector, length: number): Data {
  const nullBitmap = new Uint8Array(Math.ceil(length / 8));
  let nullCount = 0;
  const each = (fill: (row: number, value: NonNullable<DuckDBValue>) => void) => {
    for (let row = 0; row < length; row += 1) {
      const value = vector.getItem(row);
      if (value === null) nullCount += 1;
      else {
        nullBitmap[row >> 3]! |= 1 << (row & 7);
        fill(row, value);
      }
    }
  };
  const as = <Key extends keyof Values>(value: NonNullable<DuckDBValue>, key: Key) => (value as Values)[key];
  switch (type) {
    case 'int64': {
      const data = new BigInt64Array(length);
      each((row, value) => (data[row] = value as bigint));
      return makeData({ type: new Int64(), length, nullCount, nullBitmap, data });
    }
    case 'double': {
      const data = new Float64Array(length);
      each((row, value) => (data[row] = value as number));
      return makeData({ type: new Float64(), length, nullCount, nullBitmap, data });
    }
    case 'boolean': {
      const data = new Uint8Array(nullBitmap.length);
      each((row, value) => {
        if (value === true) data[row >> 3]! |= 1 << (row & 7);
      });
      return makeData({ type: new Bool(), length, nullCount, nullBitmap, data });
    }
    case 'date': {
      const data = new Int32Array(length);
      each((row, value) => (data[row] = as(value, 'days')));
      return makeData({ type: new DateDay(), length, nullCount, nullBitmap, data });
    }
    case 'timestamp': {
      const data = new BigInt64Array(length);
      each((row, value) => (data[row] = as(value, 'micros')));
      return makeData({ type: new TimestampMicrosecond('UTC'), length, nullCount, nullBitmap, data });
    }
    case 'string':
    case 'binary': {
      const parts: Uint8Array[] = [];
      const ends = new Int32Array(length);
      each((row, value) => {
        const bytes = as(value, 'bytes');
        parts.push(bytes);
        ends[row] = bytes.length;
      });
      const valueOffsets = new Int32Array(length + 1);
      for (let row = 0; row < length; row += 1) valueOffsets[row + 1] = valueOffsets[row]! + ends[row]!;
      const data = Buffer.concat(parts);
      return type === 'string'
        ? makeData({ type: new Utf8(), length, nullCount, nullBitmap, valueOffsets, data })
        : makeData({ type: new Binary(), length, nullCount, nullBitmap, valueOffsets, data });
    }
    default: {
      const words = new BigInt64Array(2 * length);
      each((row, value) => {
        const scaled = as(value, 'value');
        words[2 * row] = BigInt.asIntN(64, scaled);
        words[2 * row + 1] = scaled >> 64n;
      });
      const data = new Uint32Array(words.buffer);
      return makeData({ type: arrowType(type) as Decimal, length, nullCount, nullBitmap, data });
    }
  }
}
