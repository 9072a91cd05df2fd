import { describe, expect, test } from 'vitest';
import {
  parseLandingPath,
  readLandingMetadata,
} from '../../../shared/domains/datasets/ingestion/landing/landing-path.ts';

test.each(['file.parquet', 'Flights/a.parquet', 'flights/', '/a.parquet', '../a.parquet', 'a b/c.parquet'])(
  'refuses a landing path without a dataset: %s',
  (name) => {
    expect(() => parseLandingPath(name)).toThrow(/<dataset>\/<file>/);
  },
);

test.each([
  ['flights/2001/01/x.parquet', { dataset: 'flights', file: '2001/01/x.parquet' }],
  ['flights/merge/x.csv', { dataset: 'flights', file: 'merge/x.csv', mode: 'merge' }],
  ['flights/overwrite', { dataset: 'flights', file: 'overwrite' }],
  ['flights/overwrite/', { dataset: 'flights', file: 'overwrite/' }],
  ['merge/append.csv', { dataset: 'merge', file: 'append.csv' }],
])('%s', (name, expected) => {
  expect(parseLandingPath(name)).toEqual(expected);
});

describe('the metadata of a blob', () => {
  test.each([
    [{}, {}],
    [{ mode: 'Overwrite' }, { mode: 'overwrite' }],
    [
      { mode: 'merge', keys: 'id, day' },
      { mode: 'merge', keys: ['id', 'day'] },
    ],
    [{ keys: String.raw`["a,b", "\u00e9"]` }, { keys: ['a,b', 'é'] }],
  ])('%j', (metadata, expected) => {
    expect(readLandingMetadata(metadata)).toEqual(expected);
  });

  test.each([{ mode: 'replace' }, { keys: '["a"' }, { keys: '[1]' }])('%j is refused', (metadata) => {
    expect(() => readLandingMetadata(metadata)).toThrow(/metadata/);
  });
});
