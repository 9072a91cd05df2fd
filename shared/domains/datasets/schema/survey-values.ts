import { classify, measureDigits, readDayMonth } from './strict-types.ts';
import type { ColumnSurvey, SurveyExample, ValueKind } from './survey.ts';

/** Counts the values of one column by kind. */
export class ColumnCounter {
  readonly name: string;
  #values = 0;
  #nulls = 0;
  readonly #counts: Partial<Record<ValueKind, number>> = {};
  readonly #examples: Partial<Record<ValueKind, SurveyExample>> = {};
  #integerDigits = 0;
  #scale = 0;
  #dayFirst = 0;
  #monthFirst = 0;

  constructor(name: string) {
    this.name = name;
  }

  addNulls(count: number): void {
    this.#nulls += count;
  }

  /** @param row number of its record in the file, from 1 */
  add(text: string, row: number): void {
    this.addAs(classify(text), text, row);
  }

  /** Adds a text of a known kind: a JSON string that looks like a number is not a number. */
  addAs(kind: ValueKind, text: string, row: number): void {
    this.#values += 1;
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    this.#examples[kind] ??= { row, text: text.slice(0, 100) };
    if (kind === 'integer' || kind === 'longInteger' || kind === 'bigInteger' || kind === 'decimal')
      this.widen(measureDigits(text));
    else if (kind === 'dayMonth') {
      const order = readDayMonth(text);
      if (order === 'dayFirst') this.#dayFirst += 1;
      else if (order === 'monthFirst') this.#monthFirst += 1;
    }
  }

  /** Adds values by number, without examples. */
  addMany(kind: ValueKind, count: number): void {
    if (count === 0) return;
    this.#values += count;
    this.#counts[kind] = (this.#counts[kind] ?? 0) + count;
  }

  widen({ integer, scale }: { readonly integer: number; readonly scale: number }): void {
    if (integer > this.#integerDigits) this.#integerDigits = integer;
    if (scale > this.#scale) this.#scale = scale;
  }

  finish(): ColumnSurvey {
    return {
      name: this.name,
      values: this.#values,
      nulls: this.#nulls,
      counts: { ...this.#counts },
      examples: { ...this.#examples },
      integerDigits: this.#integerDigits,
      scale: this.#scale,
      dayFirst: this.#dayFirst,
      monthFirst: this.#monthFirst,
    };
  }
}
