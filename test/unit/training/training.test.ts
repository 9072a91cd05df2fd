import { describe, expect, test } from 'vitest';
import { parseTimestamp, partOfTimestamp } from '../../../shared/core/timestamps.ts';
import { findTrainer, parseTrainingSpec, trainers } from '../../../shared/domains/training/catalog.ts';
import { loadTable } from '../../../shared/domains/training/load-table.ts';
import { deriveSignature } from '../../../shared/domains/training/signature.ts';
import { splitRows } from '../../../shared/domains/training/split.ts';
import { train, type TrainHooks } from '../../../shared/domains/training/train.ts';
import { createTableReader, flightsSpec } from '../../support/training/training.ts';

describe('timestamps', () => {
  test.each([
    ['2001-07-04T18:30:00Z', '2001-07-04T18:30:00.000Z'],
    ['2001-07-04T18:30:00', '2001-07-04T18:30:00.000Z'],
    ['2001-07-04 18:30', '2001-07-04T18:30:00.000Z'],
    ['2001-07-04', '2001-07-04T00:00:00.000Z'],
    ['2001-07-04T18:30:00-05:00', '2001-07-04T23:30:00.000Z'],
    ['2001-07-04T00:30:00+05:30', '2001-07-03T19:00:00.000Z'],
    ['2001-07-04T18:30:00.123456789Z', '2001-07-04T18:30:00.123Z'],
    ['2000-02-29T00:00:00.5Z', '2000-02-29T00:00:00.500Z'],
    ['0099-12-31', '0099-12-31T00:00:00.000Z'],
  ])('%s is read', (text, expected) => {
    expect(new Date(parseTimestamp(text) ?? NaN).toISOString()).toBe(expected);
  });

  test.each([
    '',
    'tomorrow',
    '2001-02-29',
    '2001-13-01',
    '2001-00-10',
    '2001-01-00',
    '2001-01-01T24:00:00Z',
    '2001-01-01T10:60:00Z',
    '2001-01-01T10:00:60Z',
    '2001-01-01T10:00:00+25:00',
    '2001-01-01T10:00:00EST',
    '994271400000',
    ' 2001-01-01',
  ])('%j is refused', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test('parts are in UTC, also before 1970', () => {
    const july = Date.parse('2001-07-04T18:30:00Z');
    expect(partOfTimestamp(july, 'hourOfDay')).toBe(18);
    expect(partOfTimestamp(july, 'dayOfWeek')).toBe(3);
    expect(partOfTimestamp(july, 'dayOfMonth')).toBe(4);
    expect(partOfTimestamp(july, 'month')).toBe(7);
    expect(partOfTimestamp(-1, 'hourOfDay')).toBe(23);
    // 31 December 1969 was a Wednesday, 1 July 2001 a Sunday.
    expect(partOfTimestamp(-1, 'dayOfWeek')).toBe(3);
    expect(partOfTimestamp(Date.parse('2001-07-01'), 'dayOfWeek')).toBe(7);
    expect(partOfTimestamp(NaN, 'month')).toBeNaN();
  });
});

describe('training specs', () => {
  test('fills in every default, and is idempotent', () => {
    const spec = parseTrainingSpec(flightsSpec);
    expect(spec).toMatchObject({
      holdoutShare: 0.2,
      seed: 0,
      trainer: { params: { l2: 1, minCategoryRows: 20 } },
    });
    expect(parseTrainingSpec(spec)).toEqual(spec);
  });

  test.each([
    [{ features: [{ column: 'delay', kind: 'numeric' }] }, /column "delay" is the label/],
    [{ features: [{ column: 'label', kind: 'numeric' }] }, /"label" is reserved/],
    [
      {
        features: [
          { column: 'a', kind: 'numeric' },
          { column: 'a', kind: 'categorical' },
        ],
      },
      /two features are named "a"/,
    ],
    [{ features: [{ column: '/a', kind: 'numeric' }] }, /reserved/],
    [{ features: [] }, /features/],
    [{ holdoutShare: 0 }, /holdoutShare/],
    [{ seed: -1 }, /seed/],
    [{ trainer: { name: 'oracle' } }, /at trainer\.name: "oracle" is unknown. Known: .*logistic/],
    [{ trainer: { name: 'toString' } }, /"toString" is unknown/],
    [{ trainer: { name: 'logistic', params: { l2: 0 } } }, /at trainer\.params\.l2/],
    [{ trainer: { name: 'logistic', params: { lambda: 1 } } }, /lambda/],
    [{ surprise: true }, /surprise/],
  ])('%j is refused', (change, message) => {
    expect(() => parseTrainingSpec({ ...flightsSpec, ...change })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
    );
  });

  test.each(Object.keys(trainers))('trainer %s has defaults for all its parameters', (name) => {
    expect(findTrainer(name).params.safeParse({}).success).toBe(true);
  });
});

const column = (name: string, kind: 'integer' | 'float' | 'string' | 'timestamp' | 'boolean') => ({
  name,
  kind,
  type: kind.toUpperCase(),
});
const hour = 3_600_000;
const reader = createTableReader([
  { ...column('when', 'timestamp'), values: [0, hour, null, 25 * hour] },
  { ...column('x', 'float'), values: [0.1, null, 3, 4] },
  { ...column('place', 'string'), values: ['b', 'a', '', null] },
  { ...column('late', 'integer'), values: [15, 14, null, 16] },
]);
const spec = parseTrainingSpec({
  features: [
    { column: 'when', part: 'hourOfDay', kind: 'categorical' },
    { column: 'when', part: 'month', kind: 'numeric', name: 'm' },
    { column: 'x', kind: 'numeric' },
    { column: 'place', kind: 'categorical' },
  ],
  label: { column: 'late', op: '>=', value: 15 },
  trainer: { name: 'logistic' },
});

describe('loading a table', () => {
  test('derives features and labels, batch by batch', async () => {
    const table = await loadTable(reader, ['unused'], spec, 'binary');
    expect(table.labels).toEqual(Uint8Array.of(1, 0, 255, 1));
    expect(table.features).toMatchObject([
      { name: 'when.hourOfDay', codes: Int32Array.of(0, 1, -1, 1) },
      { name: 'm', values: Float32Array.of(1, 1, NaN, 1) },
      { name: 'x', values: Float32Array.of(0.1, NaN, 3, 4) },
      { name: 'place', codes: Int32Array.of(1, 0, -1, -1), keys: { type: 'string', values: ['a', 'b'] } },
    ]);
  });

  test.each([
    ['>=', [0, 1, 1]],
    ['>', [0, 0, 1]],
    ['<=', [1, 1, 0]],
    ['<', [1, 0, 0]],
    ['==', [0, 1, 0]],
  ] as const)('label op %s', async (op, expected) => {
    const table = await loadTable(
      createTableReader([
        { ...column('x', 'float'), values: [1, 2, 3] },
        { ...column('y', 'float'), values: [1, 2, 3] },
      ]),
      ['unused'],
      parseTrainingSpec({
        features: [{ column: 'x', kind: 'numeric' }],
        label: { column: 'y', op, value: 2 },
        trainer: { name: 'logistic' },
      }),
      'binary',
    );
    expect([...table.labels]).toEqual(expected);
  });

  test.each([Infinity, -Infinity, 1e39])('%s does not fit float32, and is named', async (value) => {
    const bad = createTableReader([
      { ...column('x', 'float'), values: [1, value] },
      { ...column('late', 'integer'), values: [1, 20] },
    ]);
    const simple = { ...spec, features: [{ column: 'x', kind: 'numeric' as const }] };
    await expect(loadTable(bad, ['unused'], simple, 'binary')).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      details: { column: 'x', row: 1 },
    });
  });
});

test('the signature has each column once, with its type', async () => {
  expect(deriveSignature(spec.features, await reader.inspect(['unused']))).toEqual({
    columns: [
      { name: 'when', type: 'timestamp' },
      { name: 'x', type: 'number' },
      { name: 'place', type: 'string' },
    ],
    inputs: [
      { name: 'when.hourOfDay', tensor: 'int64', column: 'when', part: 'hourOfDay' },
      { name: 'm', tensor: 'float32', column: 'when', part: 'month' },
      { name: 'x', tensor: 'float32', column: 'x' },
      { name: 'place', tensor: 'string', column: 'place' },
    ],
  });
});

test.each([
  [{ column: 'place', kind: 'numeric' }, /"place" is of type STRING: it cannot be the numeric feature/],
  [{ column: 'when', kind: 'categorical' }, /name a part of it/],
  [{ column: 'x', kind: 'categorical' }, /FLOAT/],
  [{ column: 'x', kind: 'numeric', part: 'month' }, /FLOAT/],
  [{ column: 'gone', kind: 'numeric' }, /no column "gone"/],
] as const)('feature %j does not suit its column', async (feature, message) => {
  const shape = await reader.inspect(['unused']);
  expect(() => deriveSignature([feature], shape)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
  );
});

describe('the split', () => {
  const split = (share: number, seed: number, rows = 20_000) =>
    splitRows(rows, (row) => row !== 5, share, seed);

  test('assigns every labelled row once, meets the share on average, and follows the seed', () => {
    const { unlabelledRows, train, holdout } = split(0.25, 7);
    expect(unlabelledRows).toBe(1);
    const all = [...train, ...holdout].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 20_000 }, (_, i) => i).filter((row) => row !== 5));
    expect(Math.abs(holdout.length / 20_000 - 0.25)).toBeLessThan(0.02);
    const other = new Set(split(0.25, 8).holdout);
    const common = holdout.filter((row) => other.has(row)).length;
    expect(Math.abs(common / holdout.length - 0.25)).toBeLessThan(0.05);
  });

  test('a row stays on its side when rows are added, and a larger share only adds', () => {
    const small = split(0.25, 7, 10_000).holdout;
    const large = new Set(split(0.3, 7).holdout);
    expect(small.every((row) => large.has(row))).toBe(true);
  });
});

describe('train', () => {
  const hooks: TrainHooks = {
    now: () => 0,
    onProgress: () => {},
    threads: 1,
    yield: async () => {},
    signal: new AbortController().signal,
  };
  const simple = parseTrainingSpec({
    features: [{ column: 'x', kind: 'numeric' }],
    label: { column: 'y', op: '>=', value: 1 },
    trainer: { name: 'logistic' },
  });
  const table = (labels: readonly (number | null)[]) =>
    createTableReader([
      { ...column('x', 'float'), values: labels.map((_, i) => i) },
      { ...column('y', 'integer'), values: labels },
    ]);

  test('refuses a single class, no labels and no rows, each by name', async () => {
    const attempt = (labels: readonly (number | null)[]) => train(table(labels), ['unused'], simple, hooks);
    await expect(attempt(Array.from({ length: 40 }, () => 1))).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/training rows .* all \d+ have the same label/),
    });
    await expect(attempt([null, null])).rejects.toMatchObject({
      message: expect.stringMatching(/there are none/),
    });
    await expect(attempt([])).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/no rows/),
    });
  });

  test('stops at the next iteration after an abort', async () => {
    const abort = new AbortController();
    const phases: string[] = [];
    const labels = Array.from({ length: 100 }, (_, i) => (i * 7) % 2);
    const training = train(table(labels), ['unused'], simple, {
      ...hooks,
      signal: abort.signal,
      onProgress: ({ phase }) => {
        phases.push(phase);
        if (phase === 'fitting') abort.abort();
      },
    });
    await expect(training).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(phases.filter((phase) => phase === 'fitting')).toHaveLength(1);
    expect(phases).not.toContain('evaluating');
  });
});
