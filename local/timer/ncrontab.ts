import { AppError } from '../../shared/core/errors.ts';

/** A schedule in UTC. */
export interface Schedule {
  /** The first occurrence after `afterMs`; both in milliseconds since the Unix epoch. */
  next(afterMs: number): number;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = 'january february march april may june july august september october november december'.split(
  ' ',
);
const days = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const fields: readonly Field[] = [
  { name: 'second', min: 0, max: 59 },
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: months },
  { name: 'day of week', min: 0, max: 6, names: days },
];
const dayMs = 86_400_000;
/** Dates and weekdays repeat after 28 years, except across a century that is not a leap year. */
const horizonDays = 366 * 40;

/**
 * Parses a six-field NCRONTAB expression `{second} {minute} {hour} {day} {month} {day of week}` (five fields: second
 * 0). Values, `*`, lists, ranges, steps and English names, as in NCrontab: a backward range is reversed, `5/10` means
 * "from 5 in steps of 10", and a day must match both the day and the day of the week.
 *
 * @throws AppError INVALID_ARGUMENT naming the wrong field, or for a schedule that never occurs (30 February)
 * @see https://github.com/atifaziz/NCrontab/wiki/Crontab-Expression
 * @example
 * new Date(parseNcrontab('0 30 9 * * MON-FRI').next(Date.UTC(2026, 0, 3))).toISOString() // '2026-01-05T09:30:00.000Z'
 */
export function parseNcrontab(expression: string): Schedule {
  const parts = expression.trim().split(/\s+/);
  if (parts.length === 5) parts.unshift('0');
  if (parts.length !== fields.length)
    throw new AppError(
      'INVALID_ARGUMENT',
      `"${expression}" is not a valid schedule: it has ${parts.length} fields instead of 6.`,
    );
  const sets = fields.map((field, index) => parseField(parts[index]!, field, expression));
  const [seconds, minutes, hours, monthDays, monthSet, weekDays] = sets as [Set, Set, Set, Set, Set, Set];

  const isDay = (date: Date): boolean =>
    monthSet[date.getUTCMonth() + 1]! && monthDays[date.getUTCDate()]! && weekDays[date.getUTCDay()]!;

  const schedule: Schedule = {
    next(afterMs) {
      const start = Math.floor(afterMs / 1000) * 1000 + 1000;
      let day = Math.floor(start / dayMs) * dayMs;
      for (let count = 0; count < horizonDays; count++, day += dayMs) {
        if (!isDay(new Date(day))) continue;
        const second = firstTime(hours, minutes, seconds, Math.max(0, start - day) / 1000);
        if (second !== undefined) return day + second * 1000;
      }
      throw new AppError('INVALID_ARGUMENT', `The schedule "${expression}" never occurs.`);
    },
  };
  schedule.next(0);
  return schedule;
}

/** Whether a field contains the value at each index. */
type Set = readonly boolean[];

/** The first matching second of the day from `from` on, 0–86,399. */
function firstTime(hours: Set, minutes: Set, seconds: Set, from: number): number | undefined {
  let hour = Math.floor(from / 3600);
  let minute = Math.floor((from % 3600) / 60);
  let second = from % 60;
  for (; hour < 24; hour++, minute = 0, second = 0) {
    if (!hours[hour]) continue;
    for (; minute < 60; minute++, second = 0) {
      if (!minutes[minute]) continue;
      const found = seconds.indexOf(true, second);
      if (found !== -1) return (hour * 60 + minute) * 60 + found;
    }
  }
  return undefined;
}

function parseField(text: string, field: Field, expression: string): Set {
  const set = Array.from({ length: field.max + 1 }, () => false);
  const fail = (reason: string): never => {
    throw new AppError(
      'INVALID_ARGUMENT',
      `"${expression}" is not a valid schedule: ${field.name} "${text}" ${reason}.`,
    );
  };
  const toValue = (word: string): number => {
    const named =
      field.names?.findIndex((name) => word.length >= 3 && name.startsWith(word.toLowerCase())) ?? -1;
    const value = /^\d+$/.test(word) ? Number(word) : named === -1 ? Number.NaN : named + field.min;
    return value >= field.min && value <= field.max
      ? value
      : fail(`must be from ${field.min} to ${field.max}`);
  };
  for (const item of text.split(',')) {
    const [range = '', stepText, ...more] = item.split('/');
    const step = stepText === undefined ? 1 : /^\d+$/.test(stepText) ? Number(stepText) : 0;
    if (more.length > 0 || step === 0) fail('has an invalid step');
    let [first, last] = [field.min, field.max];
    if (range !== '*') {
      const [from = '', to, ...rest] = range.split('-');
      if (rest.length > 0) fail('is not a valid range');
      first = toValue(from);
      last = to === undefined ? (step === 1 ? first : field.max) : toValue(to);
    }
    if (first > last) [first, last] = [last, first];
    for (let value = first; value <= last; value += step) set[value] = true;
  }
  return set;
}
