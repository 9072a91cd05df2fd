import { AppError } from '../../core/errors.ts';
import type { SearchField } from './subject.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** One condition, over a field that the subject knows. `isNegated`: NOT IN, NOT LIKE, IS NOT NULL. */
export type Condition = { readonly kind: 'condition'; readonly field: SearchField } & (
  | { readonly op: Comparison; readonly value: number | string }
  | {
      readonly op: 'like';
      readonly pattern: string;
      readonly ignoreCase: boolean;
      readonly isNegated: boolean;
    }
  | { readonly op: 'in'; readonly values: readonly (number | string)[]; readonly isNegated: boolean }
  | { readonly op: 'missing'; readonly isNegated: boolean }
);

/** A filter as it was meant. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'not'; readonly part: Expression }
  | Condition;

/** So much of a filter or an order is read; no more than the stores take. */
export const searchLimits = {
  filterCharacters: 100_000,
  conditions: 100,
  nesting: 20,
  listValues: 1_000,
  orderTerms: 10,
} as const;

/** @param at where, as an index into the text: told to people counting from 1 */
export function refuse(message: string, at?: number): AppError {
  return at === undefined
    ? new AppError('INVALID_ARGUMENT', message)
    : new AppError('INVALID_ARGUMENT', `${message} (at character ${at + 1})`, { character: at + 1 });
}

/** An answer should not be a book, whatever was sent. */
export function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100).toWellFormed()}…` : text;
}
