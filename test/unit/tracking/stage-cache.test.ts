import { expect, test } from 'vitest';
import { StageCache } from '../../../shared/domains/tracking/experiments/stage-cache.ts';

test('a full cache drops the least recently used experiment, and keeps the others', () => {
  const cache = new StageCache({ now: () => 0 });
  for (let id = 0; id < 10_000; id += 1) cache.put(String(id), 'active');
  expect(cache.find('0')).toBe('active');
  cache.put('another', 'deleted');
  expect(cache.find('1')).toBeUndefined();
  for (const id of ['0', '2', '9999']) expect(cache.find(id)).toBe('active');
  expect(cache.find('another')).toBe('deleted');
});

test('a stage is known for five seconds', () => {
  let now = 0;
  const cache = new StageCache({ now: () => now });
  cache.put('1', 'active');
  now = 4_999;
  expect(cache.find('1')).toBe('active');
  now = 5_000;
  expect(cache.find('1')).toBeUndefined();
});
