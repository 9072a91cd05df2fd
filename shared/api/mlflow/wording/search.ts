import type { ErrorWordings } from '../../../core/error-kinds.ts';
import type { searchErrors } from '../../../platform/search/errors.ts';

const at = ({ character }: { readonly character?: number }) =>
  character === undefined ? '' : ` (at character ${character})`;
const clauses = 'Invalid clause(s) in filter string:';
const comparison = 'Invalid comparison clause';
const list = 'While parsing a list in the query, expected a non-empty list of string values in parentheses';
const order = (term: string, why: string) => `Invalid order_by clause '${term}'. ${why}`;
const names = (all: readonly string[]) => all.map((name) => `'${name}'`).join(', ');

/** @see https://github.com/mlflow/mlflow/blob/master/mlflow/utils/search_utils.py */
export const searchWordings: ErrorWordings<typeof searchErrors> = {
  stringNotClosed: (facts) => `Invalid filter: a string has no closing quote: ${facts.text}${at(facts)}`,
  nameNotClosed: (facts) =>
    `Invalid filter: a quoted name has no closing ${facts.quote}: ${facts.text}${at(facts)}`,
  trailingText: (facts) => `${clauses} '${facts.found}'. Join conditions with AND or OR${at(facts)}`,
  groupNotClosed: (facts) => `${clauses} expected ')' but found '${facts.found}'${at(facts)}`,
  conditionMissing: (facts) => `${clauses} it ends where a condition should follow${at(facts)}`,
  fieldExpected: (facts) =>
    `${comparison}. Expected 'Identifier' found '${facts.found}': a field such as metrics.loss or tags."my key" comes first${at(facts)}`,
  comparisonExpected: (facts) =>
    `${comparison}: expected a comparison (${facts.operators.join(', ')}, IS NULL) found '${facts.found}'${at(facts)}`,
  nullExpected: (facts) =>
    `${comparison}: expected IS NULL or IS NOT NULL found '${facts.found}'${at(facts)}`,
  listExpected: (facts) => `${list}, but found '${facts.found}'${at(facts)}`,
  listEmpty: (facts) => `${list}, but got empty list${at(facts)}`,
  listNotClosed: (facts) => `${list}, but got ill-formed list${at(facts)}`,
  numberExpected: (facts) =>
    `Expected numeric value type for ${facts.field}. Found ${facts.found || 'nothing'}${at(facts)}`,
  stringExpected: (facts) =>
    `Expected a quoted string value for ${facts.field} (e.g. 'my-value'). Got value ${facts.found || 'nothing'}${at(facts)}`,
  fieldUnknown: (facts) => `Invalid identifier '${facts.name}': ${facts.what} have no such field${at(facts)}`,
  entityUnknown: (facts) =>
    `Invalid entity type '${facts.entity}'. Valid values are [${names(facts.entities)}]${at(facts)}`,
  keyUnknown: (facts) =>
    `Invalid ${facts.entity} key '${facts.key}' specified. Valid keys are [${names(facts.keys)}]${at(facts)}`,
  operatorNotAllowed: (facts) =>
    `Invalid comparator '${facts.found}' not one of ${names(facts.operators)}${at(facts)}`,
  orderRepeatsField: (facts) => `\`order_by\` contains duplicate fields: ${facts.order}`,
  orderTermUnreadable: ({ term }) =>
    order(term, 'Could not be parsed: expected a field and ASC or DESC, one field in each clause.'),
  orderDirectionUnknown: ({ term, found }) =>
    order(term, `Invalid ordering key '${found}': expected ASC or DESC.`),
  orderFieldUnknown: ({ term, what }) => order(term, `${what} have no such field.`),
  orderFieldNotSortable: ({ term, what }) =>
    order(term, `Invalid order_by entity: ${what} cannot be ordered by it.`),
};
