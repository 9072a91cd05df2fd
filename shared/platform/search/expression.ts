import type { SearchField } from './subject.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** One condition on a field of the subject. `isNegated`: NOT IN, NOT LIKE, IS NOT NULL. */
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

/** The syntax tree of a filter. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'not'; readonly part: Expression }
  | Condition;

/** Bounds of a filter and an order; within what the stores accept. */
export const searchLimits = {
  filterCharacters: 100_000,
  conditions: 100,
  nesting: 20,
  listValues: 1_000,
  orderTerms: 10,
} as const;

/** Cuts text that an error quotes. */
export function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100).toWellFormed()}…` : text;
}
