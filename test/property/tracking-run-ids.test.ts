import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemIds } from '../../shared/core/ids.ts';
import { createRunId, experimentOfRunId, runIdOfName } from '../../shared/domains/tracking/run-id.ts';
import { system } from '../support/stores.ts';

const experimentId = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 60n - 1n }).map(String),
  fc.constantFrom('0', '1', '999999999999999999', String(2n ** 60n - 1n)),
);
const plainUuid = () => systemIds.uuid().replaceAll('-', '');

test('an id contains its experiment, in 32 hex digits', () => {
  fc.assert(
    fc.property(experimentId, (id) => {
      const runId = createRunId(id, system);
      expect(runId).toMatch(/^[0-9a-f]{12}8[0-9a-f]{3}8[0-9a-f]{15}$/);
      expect(experimentOfRunId(runId)).toBe(id);
    }),
  );
});

test('ids sort by time, to the minute, within 45 days', () => {
  const periodMs = 65_536 * 60_000;
  const at = (ms: number) => createRunId('7', { ...system, clock: { now: () => ms } });
  const time = fc.integer({ min: 0, max: periodMs - 60_001 });
  fc.assert(
    fc.property(time, fc.integer({ min: 60_000, max: 86_400_000 }), fc.nat(1_000), (ms, laterMs, period) => {
      const [before, after] = [ms, Math.min(ms + laterMs, periodMs - 1)].map((one) =>
        at(period * periodMs + one),
      );
      expect(before! < after!).toBe(true);
    }),
  );
  expect(at(periodMs).slice(0, 4)).toBe('0000');
});

test('a random UUID contains no experiment', () => {
  for (let count = 0; count < 10_000; count += 1) expect(experimentOfRunId(plainUuid())).toBeUndefined();
});

test('an experiment that does not fit gives a random UUID', () => {
  const other = fc.oneof(
    fc.constantFrom('', '-1', '+1', '007', '1.0', '1e3', ' 1', '1\n', '0x1', 'a', '１', String(2n ** 60n)),
    fc.bigInt({ min: 2n ** 60n, max: 2n ** 80n }).map(String),
    experimentId.map((id) => `0${id}`),
  );
  fc.assert(
    fc.property(other, (id) => {
      const runId = createRunId(id, system);
      expect(runId).toMatch(/^[0-9a-f]{12}4[0-9a-f]{19}$/);
      expect(experimentOfRunId(runId)).toBeUndefined();
    }),
  );
});

test('an id with a wrong digit contains another experiment at most once in 4,096 times', () => {
  let tried = 0;
  let accepted = 0;
  fc.assert(
    fc.property(experimentId, fc.nat(31), fc.integer({ min: 1, max: 15 }), (id, place, change) => {
      const runId = createRunId(id, system);
      const digit = (parseInt(runId[place]!, 16) ^ change).toString(16);
      const wrong = `${runId.slice(0, place)}${digit}${runId.slice(place + 1)}`;
      tried += 1;
      if (experimentOfRunId(wrong) !== undefined) accepted += 1;
    }),
    { numRuns: 5_000 },
  );
  expect(tried).toBeGreaterThanOrEqual(5_000);
  // Expected: 1. More than 12 come once in 10^9 times.
  expect(accepted).toBeLessThanOrEqual(12);
});

test('a text of another form contains no experiment', () => {
  fc.assert(
    fc.property(experimentId, fc.nat(31), fc.string({ minLength: 1 }), (id, place, text) => {
      const runId = createRunId(id, system);
      expect(experimentOfRunId(runId.slice(0, place))).toBeUndefined();
      expect(experimentOfRunId(runId + text)).toBeUndefined();
      expect(experimentOfRunId(`m-${runId}`)).toBeUndefined();
      expect(experimentOfRunId(`0${runId}`)).toBeUndefined();
      expect(experimentOfRunId(`${runId.slice(0, place)}G${runId.slice(place + 1)}`)).toBeUndefined();
    }),
  );
});

test('the id of a name is part of its hash and contains no experiment', () => {
  // Two names whose hashes happen to have the form of an id with an experiment.
  const unlucky = fc.constantFrom('run 2700430', 'run 3522538');
  fc.assert(
    fc.property(fc.oneof(fc.string(), unlucky), (name) => {
      const id = runIdOfName(name);
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(experimentOfRunId(id)).toBeUndefined();
      expect(runIdOfName(name)).toBe(id);
    }),
  );
  expect(runIdOfName('run 2700430')).toBe('51eaf1674c75488085551537ad409717');
});
