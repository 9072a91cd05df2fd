import { defineErrors, errorKind } from '../../core/error-kinds.ts';

/** Where in a filter the error is; characters count from 1. */
interface At {
  readonly character: number;
}

interface Found extends At {
  /** What the filter has there, shortened; empty at its end. */
  readonly found: string;
}

const invalid = <Facts extends object>(describe: (facts: Facts) => string) =>
  errorKind('INVALID_ARGUMENT', describe);

const invalidAt = <Facts extends At>(describe: (facts: Facts) => string) =>
  errorKind('INVALID_ARGUMENT', (facts: Facts) => `${describe(facts)} (at character ${facts.character})`);

/** How a filter, an order or a page token can be wrong. */
export const searchErrors = defineErrors({
  filterTooLong: invalid(
    ({ maxCharacters }: { readonly maxCharacters: number }) =>
      `The filter has more than ${maxCharacters} characters: split the search.`,
  ),
  filterNotUnicode: invalid(() => 'The filter contains a lone surrogate: send valid Unicode.'),
  stringNotClosed: invalidAt(
    ({ text }: At & { readonly text: string }) => `The string ${text} has no closing quote`,
  ),
  nameNotClosed: invalidAt(
    ({ text, quote }: At & { readonly text: string; readonly quote: string }) =>
      `The quoted name ${text} has no closing ${quote}`,
  ),
  trailingText: invalidAt(
    ({ found }: Found) => `Unexpected "${found}" after a condition: join conditions with AND or OR`,
  ),
  nestedTooDeep: invalidAt(
    ({ maxDepth }: At & { readonly maxDepth: number }) => `The filter is nested more than ${maxDepth} deep`,
  ),
  groupNotClosed: invalidAt(({ found }: Found) => `Expected ")", found ${quoted(found)}`),
  conditionMissing: invalidAt<At>(() => 'The filter ends where a condition must follow'),
  fieldExpected: invalidAt(
    ({ found }: Found) => `Expected a field such as metrics.loss or tags."my key", found ${quoted(found)}`,
  ),
  tooManyConditions: invalidAt(
    ({ maxConditions }: At & { readonly maxConditions: number }) =>
      `The filter has more than ${maxConditions} conditions: use IN for many values`,
  ),
  comparisonExpected: invalidAt(
    ({ found, operators }: Found & { readonly operators: readonly string[] }) =>
      `Expected a comparison (${operators.join(', ')}, IS NULL), found ${quoted(found)}`,
  ),
  nullExpected: invalidAt(({ found }: Found) => `Expected IS NULL or IS NOT NULL, found ${quoted(found)}`),
  listExpected: invalidAt(
    ({ found }: Found) => `Expected a list of values in parentheses, found ${quoted(found)}`,
  ),
  listEmpty: invalidAt<At>(() => 'The list has no values'),
  listNotClosed: invalidAt(({ found }: Found) => `Expected "," or ")" in the list, found ${quoted(found)}`),
  listTooLong: invalidAt(
    ({ maxValues }: At & { readonly maxValues: number }) => `The list has more than ${maxValues} values`,
  ),
  numberExpected: invalidAt(
    ({ field, found }: Found & { readonly field: string }) =>
      `${field} is compared with a number, found ${quoted(found)}`,
  ),
  stringExpected: invalidAt(
    ({ field, found }: Found & { readonly field: string }) =>
      `${field} is compared with a quoted string such as 'value', found ${quoted(found)}`,
  ),
  fieldUnknown: invalidAt(
    ({ name, what }: At & { readonly name: string; readonly what: string }) =>
      `Unknown field "${name}": ${what} have no such field`,
  ),
  entityUnknown: invalid(
    (facts: Partial<At> & { readonly entity: string; readonly entities: readonly string[] }) =>
      `Unknown kind of field "${facts.entity}": use one of ${facts.entities.join(', ')}${place(facts)}`,
  ),
  keyUnknown: invalid(
    (
      facts: Partial<At> & {
        readonly entity: string;
        readonly key: string;
        readonly keys: readonly string[];
      },
    ) => `Unknown field "${facts.key}": use one of ${facts.keys.join(', ')}${place(facts)}`,
  ),
  operatorNotAllowed: invalidAt(
    ({ found, operators }: Found & { readonly operators: readonly string[] }) =>
      `The operator ${found} does not apply to this field: use one of ${operators.join(', ')}`,
  ),
  filterTooCostly: invalid(
    ({ maxConditions }: { readonly maxConditions: number }) =>
      `The filter has more than ${maxConditions} conditions, counting each value of a dataset list.`,
  ),
  orderTooLong: invalid(
    ({ maxTerms }: { readonly maxTerms: number }) => `An order has at most ${maxTerms} fields.`,
  ),
  orderRepeatsField: invalid(
    ({ order }: { readonly order: string }) => `The order names a field twice: ${order}.`,
  ),
  orderTermUnreadable: invalid(
    ({ term }: { readonly term: string }) =>
      `Cannot read the order "${term}": give one field, then ASC or DESC.`,
  ),
  orderDirectionUnknown: invalid(
    ({ term, found }: { readonly term: string; readonly found: string }) =>
      `Unknown direction "${found}" in the order "${term}": use ASC or DESC.`,
  ),
  orderFieldUnknown: invalid(
    ({ term, what }: { readonly term: string; readonly what: string }) =>
      `Unknown field in the order "${term}": ${what} have no such field.`,
  ),
  orderFieldNotSortable: invalid(
    ({ term, what }: { readonly term: string; readonly what: string }) => `Cannot sort ${what} by "${term}".`,
  ),
  limitInvalid: invalid(() => 'The limit must be an integer of at least 1.'),
});

function quoted(found: string): string {
  return found === '' ? 'the end' : `"${found}"`;
}

function place({ character }: Partial<At>): string {
  return character === undefined ? '' : ` (at character ${character})`;
}
