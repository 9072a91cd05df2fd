import { refuse, searchLimits, shorten } from './expression.ts';
import { isWord, splitName, tokenize } from './lexer.ts';
import type { OrderTerm, SearchField, SearchSubject } from './subject.ts';

/**
 * The terms of an order: those asked for, then the subject's own, up to where no two can be alike any more.
 *
 * @throws INVALID_ARGUMENT for a term that cannot be read, or a field named twice
 */
export function parseOrder(
  asked: readonly (string | OrderTerm)[],
  subject: SearchSubject,
): readonly OrderTerm[] {
  if (asked.length > searchLimits.orderTerms)
    throw refuse(`An order_by has at most ${searchLimits.orderTerms} fields.`);
  const terms = asked.map((term) => (typeof term === 'string' ? parseOrderTerm(term, subject) : term));
  const named = new Set(terms.map(({ field }) => pathKey(field)));
  if (named.size < terms.length)
    throw refuse(`\`order_by\` contains duplicate fields: ${shorten(JSON.stringify(asked))}`);
  const own = terms.length === 0 ? (subject.orderWhenNone ?? subject.defaultOrder) : subject.defaultOrder;
  const unique = new Set(own.slice(-(subject.uniqueFields ?? 1)).map(({ field }) => pathKey(field)));
  const all = [...terms, ...own.filter(({ field }) => !named.has(pathKey(field)))];
  return all.slice(0, all.findLastIndex(({ field }) => unique.has(pathKey(field))) + 1);
}

/** `metrics.acc DESC`; without a direction, ascending. */
function parseOrderTerm(text: string, subject: SearchSubject): OrderTerm {
  const bad = (why: string) => refuse(`Invalid order_by clause '${shorten(text)}'. ${why}`);
  const [name, direction, ...rest] = tokenize(text).filter(({ kind }) => kind !== 'end');
  if (name?.kind !== 'name' || rest.length > 0)
    throw bad('Could not be parsed: expected a field and ASC or DESC, one field in each clause.');
  if (direction !== undefined && !isWord(direction, 'ASC') && !isWord(direction, 'DESC'))
    throw bad(`Invalid ordering key '${shorten(direction.text)}': expected ASC or DESC.`);
  const { entity, key } = splitName(name.pieces);
  const field = key === '' ? undefined : subject.fieldOf(entity, key);
  if (field === undefined) throw bad(`${subject.what} have no such field.`);
  if (field.isSortable === false || field.isNames === true)
    throw bad(`Invalid order_by entity: ${subject.what} cannot be ordered by it.`);
  return { field, direction: direction !== undefined && isWord(direction, 'DESC') ? 'desc' : 'asc' };
}

function pathKey(field: SearchField): string {
  return JSON.stringify(field.path);
}
