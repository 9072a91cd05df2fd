import { searchErrors } from './errors.ts';
import { searchLimits, shorten } from './expression.ts';
import { isWord, splitName, tokenize } from './lexer.ts';
import { findField, type OrderTerm, type SearchField, type SearchSubject } from './subject.ts';

/**
 * Resolves an order: the requested terms, then the subject's own, up to the first that makes the order total.
 *
 * @throws INVALID_ARGUMENT for an unreadable term, or a field named twice
 */
export function parseOrder(
  requested: readonly (string | OrderTerm)[],
  subject: SearchSubject,
): readonly OrderTerm[] {
  if (requested.length > searchLimits.orderTerms)
    throw searchErrors.orderTooLong({ maxTerms: searchLimits.orderTerms });
  const terms = requested.map((term) => (typeof term === 'string' ? parseOrderTerm(term, subject) : term));
  const named = new Set(terms.map(({ field }) => pathKey(field)));
  if (named.size < terms.length)
    throw searchErrors.orderRepeatsField({ order: shorten(JSON.stringify(requested)) });
  const own = terms.length === 0 ? (subject.orderWhenNone ?? subject.defaultOrder) : subject.defaultOrder;
  const unique = new Set(own.slice(-(subject.uniqueFields ?? 1)).map(({ field }) => pathKey(field)));
  const all = [...terms, ...own.filter(({ field }) => !named.has(pathKey(field)))];
  return all.slice(0, all.findLastIndex(({ field }) => unique.has(pathKey(field))) + 1);
}

/** Parses `metrics.acc DESC`; the default direction is ascending. */
function parseOrderTerm(text: string, subject: SearchSubject): OrderTerm {
  const term = shorten(text);
  const { what } = subject;
  const [name, direction, ...rest] = tokenize(text).filter(({ kind }) => kind !== 'end');
  if (name?.kind !== 'name' || rest.length > 0) throw searchErrors.orderTermUnreadable({ term });
  if (direction !== undefined && !isWord(direction, 'ASC') && !isWord(direction, 'DESC'))
    throw searchErrors.orderDirectionUnknown({ term, found: shorten(direction.text) });
  const { entity, key } = splitName(name.pieces);
  const field = key === '' ? undefined : findField(subject, entity, key);
  if (field === undefined) throw searchErrors.orderFieldUnknown({ term, what });
  if (field.isSortable === false || field.isNames === true)
    throw searchErrors.orderFieldNotSortable({ term, what });
  return { field, direction: direction !== undefined && isWord(direction, 'DESC') ? 'desc' : 'asc' };
}

function pathKey(field: SearchField): string {
  return JSON.stringify(field.path);
}
