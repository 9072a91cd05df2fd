import { describe, expect, test } from 'vitest';
import {
  AppError,
  type ErrorCode,
  errorCodes,
  isFinal,
  maxAttemptsFor,
  retryIntent,
} from '../../../shared/core/errors.ts';
import { packError, unpackError } from '../../../shared/core/thrown.ts';

test('details, including the retry time, cross threads and processes', () => {
  const error = new AppError('RATE_LIMITED', 'Later.', { reason: 'busy', retryAfterMs: 7 });
  const there = unpackError(structuredClone(packError(error)));
  expect(there).toMatchObject({ details: { reason: 'busy', retryAfterMs: 7 }, retryAfterMs: 7 });
  // @ts-expect-error not a number
  expect(new AppError('RATE_LIMITED', 'Later.', { retryAfterMs: '7' }).retryAfterMs).toBe('7');
});

describe('the retry intent', () => {
  test.each(Object.keys(errorCodes) as ErrorCode[])('of %s follows from its status', (code) => {
    const { status, retry } = errorCodes[code];
    const later = [408, 429, 503, 504, 507];
    expect(retry).toBe(later.includes(status) ? 'later' : status === 500 ? 'maybe' : 'never');
    expect(retryIntent(new AppError(code, 'Because.'))).toBe(retry);
  });

  test.each([new Error('a defect?'), 'text', undefined])('of the unexpected error %s is maybe', (thrown) => {
    expect(retryIntent(thrown)).toBe('maybe');
  });

  test('bounds the attempts', () => {
    expect(maxAttemptsFor('never', 8)).toBe(1);
    expect([2, 8].map((most) => maxAttemptsFor('maybe', most))).toEqual([2, 3]);
    expect(maxAttemptsFor('later', 8)).toBe(8);
    const finalAfter = (error: unknown) => [1, 2, 3, 4].map((attempts) => isFinal(error, attempts, 4));
    expect(finalAfter(new AppError('INVALID_ARGUMENT', 'No.'))).toEqual([true, true, true, true]);
    expect(finalAfter(new TypeError('a defect'))).toEqual([false, false, true, true]);
    expect(finalAfter(new AppError('UNAVAILABLE', 'Down.'))).toEqual([false, false, false, true]);
    expect(isFinal(new AppError('UNAVAILABLE', 'Down.'), 1_000)).toBe(false);
  });
});
