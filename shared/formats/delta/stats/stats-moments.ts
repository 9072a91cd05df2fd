const pattern = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00(?::?00)?)?$/;

/**
 * Rounds a UTC timestamp down to milliseconds, the precision of Delta's statistics.
 *
 * @returns without a zone; undefined for years past 9999 or before 1, other zones, and invalid timestamps
 * @example
 * roundDownMoment('2026-01-02 03:04:05.123456+00') // '2026-01-02T03:04:05.123'
 */
export function roundDownMoment(text: string): string | undefined {
  return round(text, 0);
}

/**
 * Rounds up instead.
 *
 * @example
 * roundUpMoment('2026-12-31 23:59:59.999001') // '2027-01-01T00:00:00.000'
 */
export function roundUpMoment(text: string): string | undefined {
  return round(text, 1);
}

function round(text: string, up: 0 | 1): string | undefined {
  const [, year, month, day, hour, minute, second, fraction = ''] = pattern.exec(text) ?? [];
  if (year === undefined || year === '0000') return undefined;
  const digits = fraction.padEnd(9, '0');
  const isExact = Number(digits.slice(3)) === 0;
  const floor = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${digits.slice(0, 3)}Z`);
  if (Number.isNaN(floor)) return undefined;
  const rounded = new Date(floor + (isExact ? 0 : up)).toISOString().slice(0, -1);
  return rounded.length === 23 ? rounded : undefined;
}
