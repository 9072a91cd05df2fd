const dayMicros = 86_400_000_000n;

/** How DuckDB stores infinite dates and timestamps, which Parquet files can hold as well. */
const infiniteDay = 2_147_483_647;
const infiniteMoment = 9_223_372_036_854_775_807n;

/**
 * A date as ISO 8601 text. Years before 0 and after 9999 have a sign and six or more digits.
 *
 * @param days since 1970-01-01, Gregorian also before 1582
 * @see https://howardhinnant.github.io/date_algorithms.html#civil_from_days
 * @example
 * formatDay(0) // '1970-01-01'
 * formatDay(-719529) // '-000001-12-31'
 */
export function formatDay(days: number): string {
  if (days === infiniteDay) return 'infinity';
  if (days === -infiniteDay) return '-infinity';
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${formatYear(year)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/**
 * A timestamp as ISO 8601 text in UTC, always with microseconds, so that texts of years 0 to 9999 sort by time.
 *
 * @param micros since 1970-01-01T00:00:00Z
 * @example
 * formatMoment(1_000_000_000_000_001n) // '2001-09-09T01:46:40.000001Z'
 * formatMoment(-1n) // '1969-12-31T23:59:59.999999Z'
 */
export function formatMoment(micros: bigint): string {
  if (micros === infiniteMoment) return 'infinity';
  if (micros === -infiniteMoment) return '-infinity';
  const ofDay = ((micros % dayMicros) + dayMicros) % dayMicros;
  const days = Number((micros - ofDay) / dayMicros);
  const seconds = Number(ofDay / 1_000_000n);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${formatDay(days)}T${clock.map((part) => pad(part, 2)).join(':')}.${pad(Number(ofDay % 1_000_000n), 6)}Z`;
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9999) return pad(year, 4);
  return `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
