/** The calendar parts of a timestamp, in UTC. */
export const timestampParts = ['hourOfDay', 'dayOfWeek', 'dayOfMonth', 'month'] as const;
export type TimestampPart = (typeof timestampParts)[number];

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * Parses an ISO 8601 date, or date and time, as milliseconds since the Unix epoch. Drops digits beyond the millisecond.
 * Reads a text without a zone as UTC, so that training and scoring agree on every machine.
 *
 * @returns undefined for other texts, and for days, hours or zones that do not exist
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 * @example
 * parseTimestamp('2001-07-04T18:30:00Z') // 994271400000
 * parseTimestamp('2001-02-29') // undefined
 */
export function parseTimestamp(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', zone = 'Z'] = match;
  // Date.UTC would read the years 0-99 as 1900-1999.
  const midnight = new Date(0);
  midnight.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (midnight.getUTCMonth() !== Number(month) - 1 || midnight.getUTCDate() !== Number(day)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const offsetMinutes = zoneOffsetMinutes(zone);
  if (offsetMinutes === undefined) return undefined;
  const seconds = Number(hour) * 3600 + (Number(minute) - offsetMinutes) * 60 + Number(second);
  return midnight.getTime() + seconds * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

function zoneOffsetMinutes(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/**
 * Extracts a calendar part of a timestamp, in UTC.
 *
 * @param epochMs milliseconds since the Unix epoch, within the range of `Date`; NaN returns NaN
 * @returns hourOfDay 0-23; dayOfWeek 1 (Monday) to 7 (Sunday), as ISO 8601; dayOfMonth 1-31; month 1-12.
 * @example
 * partOfTimestamp(994271400000, 'hourOfDay') // 18
 */
export function partOfTimestamp(epochMs: number, part: TimestampPart): number {
  const date = new Date(epochMs);
  switch (part) {
    case 'hourOfDay':
      return date.getUTCHours();
    case 'dayOfWeek':
      return ((date.getUTCDay() + 6) % 7) + 1;
    case 'dayOfMonth':
      return date.getUTCDate();
    case 'month':
      return date.getUTCMonth() + 1;
  }
}
