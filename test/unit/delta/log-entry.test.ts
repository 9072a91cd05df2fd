import { describe, expect, test } from 'vitest';
import type { Action } from '../../../shared/formats/delta/log/actions.ts';
import { createTable } from '../../../shared/formats/delta/create-table.ts';
import { encodePath } from '../../../shared/formats/delta/log/file-path.ts';
import { encodeAction, parseAction, parseEntry } from '../../../shared/formats/delta/log/log-entry.ts';
import { formatSchema, parseSchema } from '../../../shared/formats/delta/schema.ts';
import { replay } from '../../../shared/formats/delta/snapshots/snapshot.ts';

describe('entries', () => {
  test('are written as the protocol specifies', () => {
    const actions: readonly Action[] = [
      { kind: 'protocol', protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
      {
        kind: 'add',
        file: {
          path: 'a b.parquet',
          size: 5,
          modificationTime: 6,
          dataChange: true,
          stats: '{"numRecords":1}',
        },
      },
      { kind: 'remove', file: { path: 'x.parquet', deletionTimestamp: 7, dataChange: true, size: 8 } },
    ];
    expect(actions.map(encodeAction)).toEqual([
      '{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}',
      String.raw`{"add":{"path":"a%20b.parquet","partitionValues":{},"size":5,"modificationTime":6,"dataChange":true,"stats":"{\"numRecords\":1}"}}`,
      '{"remove":{"path":"x.parquet","deletionTimestamp":7,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{},"size":8}}',
    ]);
  });

  test('of other writers are read: unknown actions and members, nulls, empty lines', async () => {
    const lines = [
      '{"commitInfo":{"timestamp":1,"operation":"WRITE","more":{"deep":[1]}}}',
      '{"domainMetadata":{"domain":"d","configuration":"","removed":false}}',
      '{"add":{"path":"x%20y","partitionValues":{},"size":1,"modificationTime":2,"dataChange":true,"stats":null,"tags":null,"deletionVector":null,"baseRowId":null}}',
      '',
      '{"add":null,"txn":{"appId":"a","version":9007199254740991,"lastUpdated":null}}',
      '{"cdc":{"path":"c"}}',
    ];
    const body = async function* () {
      yield Buffer.from(lines.join('\r\n'));
    };
    expect(await Array.fromAsync(parseEntry(body(), 'x'))).toEqual([
      { kind: 'commitInfo', info: { timestamp: 1, operation: 'WRITE', more: { deep: [1] } } },
      { kind: 'add', file: { path: 'x y', size: 1, modificationTime: 2, dataChange: true } },
      { kind: 'txn', transaction: { appId: 'a', version: Number.MAX_SAFE_INTEGER } },
    ]);
  });

  test.each([
    '{',
    '[]',
    '3',
    '{"add":{"size":1}}',
    '{"add":{"path":"%zz"}}',
    '{"txn":{"appId":3,"version":1}}',
  ])('refuses a broken entry: %s', (line) => {
    expect(() => parseAction(line)).toThrow(expect.objectContaining({ code: 'UNPROCESSABLE' }));
  });

  test('names a broken line', async () => {
    const body = async function* () {
      yield Buffer.from('{"txn":{"appId":"a","version":1}}\n{"tx');
    };
    await expect(Array.fromAsync(parseEntry(body(), '07.json'))).rejects.toThrow(/07\.json, line 2/);
  });

  test.each(['', '/a', 'a//b', './a', 'a/..', 'a/', '\ud800'])('refuses the path %j', (path) => {
    expect(() => encodePath(path)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('schemas', () => {
  test('hold every type and any name', () => {
    const columns = [
      'string',
      'long',
      'double',
      'boolean',
      'binary',
      'date',
      'timestamp',
      'decimal(38,10)',
    ].map((type, index) => ({
      name: `__proto__ "é" ${index}`,
      type: type as 'long',
      nullable: index % 2 === 0,
    }));
    expect(parseSchema(formatSchema(columns))).toEqual(columns);
    const commented = [{ name: 'a', type: 'long' as const, nullable: true, metadata: { comment: 'c' } }];
    expect(parseSchema(formatSchema(commented))).toEqual(commented);
  });

  test.each([
    [['a', 'A'], /"a" and "A"/],
    [['é', 'É'], /same name/],
    [[''], /must have a name/],
    [['\udc00'], /Unicode/],
  ])('refuses the names %j', (names, message) => {
    expect(() => formatSchema(names.map((name) => ({ name, type: 'long', nullable: true })))).toThrow(
      message,
    );
  });

  test.each(['decimal(39,1)', 'decimal(5,6)', 'int64', 'array<long>', 'decimal'])(
    'refuses the type %s',
    (type) => {
      expect(() => formatSchema([{ name: 'a', type: type as 'long', nullable: true }])).toThrow(
        /"a" has the type/,
      );
    },
  );

  test.each([
    '',
    'null',
    '{"type":"struct"}',
    '{"type":"struct","fields":[{"name":"a","type":{"type":"array","elementType":"long"}}]}',
    '{"type":"struct","fields":[{"type":"long"}]}',
    '{"type":"struct","fields":[3]}',
  ])('refuses the schema %s', (schema) => {
    expect(() => parseSchema(schema)).toThrow(expect.objectContaining({ code: 'UNPROCESSABLE' }));
  });
});

describe('protocols', () => {
  const read = (protocol: object) => {
    const [, metadata] = createTable({ id: 'x', columns: [], createdTime: 1 });
    const action = { kind: 'protocol', protocol } as Action;
    return () => replay(undefined, [{ version: 0, timestamp: 1, actions: [action, metadata!] }]);
  };

  test.each([
    { minReaderVersion: 2, minWriterVersion: 5 },
    { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ['deletionVectors'] },
    { minReaderVersion: 4, minWriterVersion: 7 },
  ])('refuses to read %j', (protocol) => {
    expect(read(protocol)).toThrow(/reader version/);
  });

  test.each([
    { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['rowTracking'] },
    { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: [], writerFeatures: [] },
  ])('reads %j', (protocol) => {
    expect(read(protocol)().version).toBe(0);
  });

  test('refuses a log without a protocol or a schema', () => {
    expect(() => replay(undefined, [{ version: 3, timestamp: 1, actions: [] }])).toThrow(/version 3 has no/);
  });
});
