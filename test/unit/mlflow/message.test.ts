import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isAppError } from '../../../shared/core/errors.ts';
import {
  double,
  flag,
  int64,
  keyValues,
  readMessage,
  repeated,
  requiredText,
  text,
} from '../../../shared/api/mlflow/messages/message.ts';

const metric = z.object({
  key: requiredText(),
  value: double(),
  timestamp: int64(),
  step: int64().default(0),
});
const schema = z.object({
  run_id: requiredText(),
  name: text().optional(),
  step: int64().optional(),
  value: double().optional(),
  ascending: flag().optional(),
  order_by: repeated(text()).optional(),
  metrics: repeated(metric).default([]),
  tags: keyValues().default([]),
});

const read = (given: unknown, params = {}, source?: string) => readMessage(schema, given, params, source);
const none = { run_id: 'r', metrics: [], tags: [] };

function refusal(given: unknown, source?: string): string {
  try {
    read(given, {}, source);
  } catch (error) {
    if (isAppError(error, 'INVALID_ARGUMENT')) return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

describe('reads JSON like Protobuf', () => {
  test.each([
    ['camelCase', { runId: 'r', orderBy: ['a'] }, { ...none, order_by: ['a'] }],
    ['null is absent', { run_id: 'r', name: null, metrics: null }, none],
    ['run_uuid is read as run_id', { run_uuid: 'r' }, { ...none, run_uuid: undefined }],
    ['unknown members are ignored', { run_id: 'r', other: { deep: [1, null] } }, none],
    ['int64 as text', { run_id: 'r', step: '-3' }, { ...none, step: -3 }],
    ['int64 as a whole float in text', { run_id: 'r', step: '3.0' }, { ...none, step: 3 }],
    ['the largest whole number', { run_id: 'r', step: '9007199254740991' }, { ...none, step: 2 ** 53 - 1 }],
    ['NaN', { run_id: 'r', value: 'NaN' }, { ...none, value: Number.NaN }],
    ['Infinity', { run_id: 'r', value: 'Infinity' }, { ...none, value: Number.POSITIVE_INFINITY }],
    ['-Infinity', { run_id: 'r', value: '-Infinity' }, { ...none, value: Number.NEGATIVE_INFINITY }],
    ['a number in text', { run_id: 'r', value: '-1.5e-3' }, { ...none, value: -0.0015 }],
    ['a flag in text', { run_id: 'r', ascending: 'False' }, { ...none, ascending: false }],
    ['an empty text', { run_id: 'r', name: '' }, { ...none, name: '' }],
    [
      'a tag without a value',
      { run_id: 'r', tags: [{ key: 'k' }] },
      { ...none, tags: [{ key: 'k', value: '' }] },
    ],
  ])('%s', (_, given, expected) => {
    expect(read(given)).toEqual(expected);
  });

  test('path parameters take precedence over the body', () => {
    expect(read({ run_id: 'body' }, { run_id: 'path' })).toEqual({ ...none, run_id: 'path' });
  });
});

describe('reads a query', () => {
  test.each([
    ['a list of one', 'run_id=r&order_by=a', { ...none, order_by: ['a'] }],
    ['a list of many', 'run_id=r&order_by=a&order_by=b', { ...none, order_by: ['a', 'b'] }],
    [
      'a repeated parameter that is not a list is read once',
      'run_id=r&run_id=s&step=1&step=2',
      { ...none, step: 1 },
    ],
    ['camelCase', 'runId=r&orderBy=a', { ...none, order_by: ['a'] }],
    ['a name of a built-in member', 'run_id=r&__proto__=x&constructor=y&toString=z', none],
    ['a flag', 'run_id=r&ascending=true', { ...none, ascending: true }],
  ])('%s', (_, query, expected) => {
    expect(read(new URLSearchParams(query))).toEqual(expected);
  });
});

// MLflow's own tests of its REST API check for this wording.
describe('words errors as MLflow does', () => {
  test.each([
    [{ run_id: 31 }, "Invalid value 31 for parameter 'run_id' supplied"],
    [{ run_id: 'r', step: 'foo' }, `Invalid value "foo" for parameter 'step' supplied`],
    [{ run_id: 'r', metrics: 'foo' }, `Invalid value "foo" for parameter 'metrics' supplied`],
    [{ run_id: 'r', tags: '5' }, `Invalid value "5" for parameter 'tags'`],
    [{ run_id: null }, "Missing value for required parameter 'run_id'"],
    [{ run_id: '' }, "Missing value for required parameter 'run_id'"],
    [{}, "Missing value for required parameter 'run_id'"],
    [
      { run_id: 'r', metrics: [{ key: 'mae', value: 2.5 }] },
      "Missing value for required parameter 'metrics[0].timestamp'",
    ],
    [
      { run_id: 'r', metrics: [{ key: 'mae', timestamp: 1 }] },
      "Missing value for required parameter 'metrics[0].value'",
    ],
    [{ run_id: 'r', tags: [{ value: 'v' }] }, "Missing value for required parameter 'tags[0].key'"],
    [{ run_id: 'r', step: 1.5 }, "Invalid value 1.5 for parameter 'step' supplied"],
    [{ run_id: 'r', step: true }, "Invalid value true for parameter 'step' supplied"],
    [{ run_id: 'r', step: '0x10' }, `Invalid value "0x10" for parameter 'step' supplied`],
    [{ run_id: 'r', step: 2 ** 53 }, "Invalid value 9007199254740992 for parameter 'step' supplied"],
    [{ run_id: 'r', value: ' ' }, `Invalid value " " for parameter 'value' supplied`],
    [{ run_id: 'r', value: 'nan' }, `Invalid value "nan" for parameter 'value' supplied`],
    [{ run_id: 'r', ascending: 'yes' }, `Invalid value "yes" for parameter 'ascending' supplied`],
    [{ run_id: 'r', name: '\ud800' }, `Invalid value "\\ud800" for parameter 'name' supplied`],
    [{ run_id: 'r', runId: 's' }, "both 'run_id' and 'runId'"],
    [{ run_id: 'r', tags: [7] }, "Invalid value 7 for parameter 'tags[0]' supplied"],
    [[], 'must be a JSON object'],
    ['text', 'must be a JSON object'],
    [null, 'must be a JSON object'],
  ])('%j', (given, words) => {
    expect(refusal(given)).toContain(words);
  });

  test('quotes a number as written', () => {
    const source = '{"run_id":"r","metrics":[{"key":9.0}]}';
    expect(refusal(JSON.parse(source), source)).toContain("Invalid value 9.0 for parameter 'metrics[0].key'");
  });

  test('does not send back a value of megabytes', () => {
    expect(refusal({ run_id: 'r', step: 'x'.repeat(10_000_000) }).length).toBeLessThan(400);
  });
});

describe('hostile bodies', () => {
  test.each([100_000, 1_000_000])(
    'refuses nesting of %i, whose recursion would overflow the stack',
    (depth) => {
      const source = `{"run_id":"r","deep":${'['.repeat(depth)}${']'.repeat(depth)}}`;
      expect(refusal(JSON.parse(source))).toContain('nested more than 100 deep');
    },
  );

  test('treats names of JavaScript’s built-in members like any other', () => {
    const given: unknown = JSON.parse(
      '{"run_id":"r","__proto__":{"step":7},"constructor":null,"toString":1}',
    );
    expect(read(given)).toEqual(none);
    expect(Object.getPrototypeOf(read(given))).toBe(Object.prototype);
    expect(refusal(JSON.parse('{"__proto__":{"run_id":"r"}}'))).toContain('run_id');
  });

  test('reads any input, or refuses it as the caller’s fault', () => {
    const key = fc.oneof(
      fc.constantFrom('run_id', 'runId', 'step', 'metrics', 'tags', 'key', 'value', 'order_by', '__proto__'),
      fc.string(),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.boolean(), fc.constant(null)),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.array(fc.tuple(key, tie('tree')), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)),
      ),
    }));
    fc.assert(
      fc.property(tree, (given) => {
        try {
          read(given);
        } catch (error) {
          expect(isAppError(error, 'INVALID_ARGUMENT')).toBe(true);
        }
      }),
    );
  });
});

test('metrics round-trip in either spelling', () => {
  const number = fc.oneof(fc.double(), fc.constantFrom('NaN', 'Infinity', '-Infinity'));
  const given = fc.array(
    fc.record({
      key: fc.string({ minLength: 1 }),
      value: number,
      timestamp: fc.maxSafeInteger(),
      step: fc.oneof(fc.maxSafeInteger(), fc.maxSafeInteger().map(String)),
    }),
  );
  fc.assert(
    fc.property(given, (metrics) => {
      const expected = metrics.map(({ value, step, ...rest }) => ({
        ...rest,
        value: Number(value),
        step: Number(step),
      }));
      expect(read({ runId: 'r', metrics }).metrics).toEqual(expected);
    }),
  );
});
