import { yieldToEventLoop } from '../../core/async/yielder.ts';
import type { JsonObject } from '../../core/json/json.ts';
import type { Filter, MetadataStore, StoredDocument } from '../storage/documents.ts';
import type { SearchPosition, Resume } from './page-token.ts';
import { allOf } from './push-down.ts';
import type { SortKey } from './sort-keys.ts';
import {
  compareSortKeys,
  hasKey,
  isFrom,
  isSameKey,
  pathKey,
  requiredPaths,
  sortKeysOf,
} from './sort-keys.ts';
import type { OrderTerm } from './subject.ts';

export interface OrderedQuery {
  readonly container: string;
  readonly partition?: string;
  readonly filter: Filter;
  /** The field of the last term is unique, and every document has it. */
  readonly terms: readonly OrderTerm[];
  /** The exact filter: the store's may select too much. */
  readonly isWanted: (body: JsonObject) => boolean;
}

export interface OrderedPage<T extends JsonObject> {
  readonly documents: readonly StoredDocument<T>[];
  readonly resume?: Resume;
}

interface Keyed<T extends JsonObject> {
  readonly document: StoredDocument<T>;
  readonly keys: readonly SortKey[];
  /** How many of its keys were fixed by the stretch it was found in. */
  readonly level: number;
}

/** Bounds of a page: queries of the store, and queries that the store cut short for cost or weight. */
const mostQueries = 64;
const mostShortPages = 16;
const storePageDocuments = 1_000;
/** Extra documents to read: ties that the previous page has returned. */
const spareDocuments = 8;

/**
 * Reads a page sorted by several fields, from a store that sorts by one. Reads stretches of the order in turn: documents
 * by their first field; where many share its value, those by their second field, and so on; then documents whose field
 * is NaN, then those without it. Each stretch is a query. A page resumes at the keys of the last document, so that
 * concurrent writes do not shift it.
 */
export async function readOrderedPage<T extends JsonObject>(
  store: MetadataStore,
  query: OrderedQuery,
  resume: Resume,
  limit: number,
): Promise<OrderedPage<T>> {
  const reader = new OrderedReader<T>(store, query, resume.after);
  const found: Keyed<T>[] = [];
  let position: SearchPosition | undefined = resume.position ?? reader.enter([]);
  let queries = 0;
  let shortPages = 0;
  /** Grows when the exact filter rejects most documents. */
  let appetite = 1;
  // One more than the limit shows whether there is another page.
  while (position !== undefined && found.length <= limit) {
    if (queries >= mostQueries + limit / 10 || shortPages >= mostShortPages) break;
    const step: Step<T> = await reader.advance(position, appetite * (limit + 1 - found.length));
    found.push(...step.found);
    if (step.found.length < step.read / 2) appetite *= 2;
    position = step.next;
    queries += 1;
    if (step.isShort) shortPages += 1;
    await yieldToEventLoop();
  }
  const documents = found.slice(0, limit).map(({ document }) => document);
  if (found.length > limit) return { documents, resume: resumeAfter(reader, found[limit - 1]!) };
  if (position === undefined) return { documents };
  const after = found.at(-1)?.keys ?? resume.after;
  return { documents, resume: { position, ...(after && { after }) } };
}

/** Resumes within the stretch of the last document, which can share its first keys with many others. */
function resumeAfter<T extends JsonObject>(reader: OrderedReader<T>, last: Keyed<T>): Resume {
  const { keys, level } = last;
  return level === 0 ? { after: keys } : { after: keys, position: reader.enter(keys.slice(0, level), keys) };
}

interface Step<T extends JsonObject> {
  readonly found: readonly Keyed<T>[];
  /** Documents read from the store. */
  readonly read: number;
  readonly next: SearchPosition | undefined;
  /** The store returned fewer documents than requested, though it has more: they are large, or hard to find. */
  readonly isShort: boolean;
}

class OrderedReader<T extends JsonObject> {
  readonly #store: MetadataStore;
  readonly #query: OrderedQuery;
  readonly #after: readonly SortKey[] | undefined;
  /** Whether every document has the field of a term. */
  readonly #complete: readonly boolean[];

  constructor(store: MetadataStore, query: OrderedQuery, after: readonly SortKey[] | undefined) {
    this.#store = store;
    this.#query = query;
    this.#after = after;
    const required = requiredPaths(query.filter);
    const last = query.terms.length - 1;
    this.#complete = query.terms.map(
      ({ field }, index) => index === last || field.isAlways === true || required.has(pathKey(field.path)),
    );
  }

  /** The start of the stretch with these shared keys, or where the previous page left it. */
  enter(shared: readonly SortKey[], after = this.#after): SearchPosition {
    const level = shared.length;
    const key = after?.[level];
    const isWithin = shared.every((one, index) => after !== undefined && isSameKey(one, after[index]!));
    if (key === undefined || !isWithin) return { shared, phase: 'value' };
    if (key.phase !== 'value') return { shared, phase: key.phase };
    const isInclusive = level < this.#query.terms.length - 1;
    return { shared, phase: 'value', from: { value: key.value, isInclusive } };
  }

  async advance(position: SearchPosition, wanted: number): Promise<Step<T>> {
    const { shared, phase } = position;
    const level = shared.length;
    const term = this.#query.terms[level]!;
    if (phase === 'value') return this.#readValues(position, term, wanted);
    const isThere = phase === 'missing' || term.field.nanPath !== undefined;
    const next =
      this.#complete[level]! || !isThere ? this.#leave(position) : this.enter([...shared, { phase }]);
    return { found: [], read: 0, next, isShort: false };
  }

  async #readValues(position: SearchPosition, term: OrderTerm, wanted: number): Promise<Step<T>> {
    const { shared, from, cursor } = position;
    const { container, partition, filter, terms } = this.#query;
    const limit = Math.min(storePageDocuments, wanted + spareDocuments);
    const page = await this.#store.list<T>({
      container,
      ...(partition === undefined ? {} : { partition }),
      filter: allOf([
        filter,
        ...shared.map((key, index) => hasKey(terms[index]!, key)),
        ...(from === undefined ? [] : [isFrom(term, from.value, from.isInclusive)]),
      ]),
      sort: { path: term.field.path, direction: term.direction },
      ...(cursor === undefined ? {} : { cursor }),
      limit,
    });
    const level = shared.length;
    const read = page.documents.map((document) => ({
      document,
      keys: sortKeysOf(document.body, terms),
      level,
    }));
    const isShort = page.cursor !== undefined && read.length < limit;
    const step = (taken: readonly Keyed<T>[], next: SearchPosition | undefined): Step<T> => ({
      found: this.#select(taken),
      read: taken.length,
      next,
      isShort,
    });
    if (page.cursor === undefined) return step(read, this.#leave(position));
    const last = read.at(-1)?.keys[level];
    if (last === undefined || level === terms.length - 1)
      return step(read, { ...position, cursor: page.cursor });
    // More documents may share the last value: read them again, from the first of them.
    const whole = read.filter(({ keys }) => !isSameKey(keys[level]!, last));
    if (whole.length === 0) return step([], this.enter([...shared, last]));
    const value = (last as SortKey & { readonly phase: 'value' }).value;
    return step(whole, { shared, phase: 'value', from: { value, isInclusive: true } });
  }

  /** Sorts documents, without those that the previous page returned or the exact filter rejects. */
  #select(read: readonly Keyed<T>[]): readonly Keyed<T>[] {
    const { terms, isWanted } = this.#query;
    return read
      .filter(({ keys }) => this.#after === undefined || compareSortKeys(keys, this.#after, terms) > 0)
      .filter(({ document }) => isWanted(document.body))
      .sort((a, b) => compareSortKeys(a.keys, b.keys, terms));
  }

  /** The position after a phase; undefined after the last. */
  #leave({ shared, phase }: SearchPosition): SearchPosition | undefined {
    if (!this.#complete[shared.length]!) {
      if (phase === 'value') return { shared, phase: 'nan' };
      if (phase === 'nan') return { shared, phase: 'missing' };
    }
    const last = shared.at(-1);
    if (last === undefined) return undefined;
    const outer = shared.slice(0, -1);
    if (last.phase === 'value')
      return { shared: outer, phase: 'value', from: { value: last.value, isInclusive: false } };
    return this.#leave({ shared: outer, phase: last.phase });
  }
}
