import type { JsonObject } from '../../../core/json/json.ts';
import type { Filter } from '../../../platform/storage/documents.ts';
import { evaluateFilter } from './matches.ts';

/** Below one match in eight documents, other indexes are consulted. */
const minMatchShare = 8;
/** Conditions are chosen until they exclude this share of the failing documents. */
const excludedShare = 0.95;

/** Records which conditions the documents of a walk fail. */
export class Sample {
  readonly #size: number;
  readonly #parts: readonly Filter[];
  /** The failed conditions of each failing document. */
  readonly #failures: ReadonlySet<Filter>[] = [];

  /** @param size documents to decide by */
  constructor(filter: Filter, size: number) {
    this.#size = size;
    this.#parts = conjuncts(filter);
  }

  add(body: JsonObject): void {
    this.#failures.push(new Set(this.#parts.filter((part) => evaluateFilter(part, body) !== true)));
  }

  hasFewMatches(visitedDocuments: number): boolean {
    const matching = visitedDocuments - this.#failures.length;
    return visitedDocuments >= this.#size && matching * minMatchShare < visitedDocuments;
  }

  /** Chooses greedily the few conditions that together exclude nearly all failing documents. */
  mostSelectivePart(): Filter {
    const filters: Filter[] = [];
    let rest: readonly ReadonlySet<Filter>[] = this.#failures;
    while (rest.length > this.#failures.length * (1 - excludedShare)) {
      const counts = this.#parts.map((part) => rest.filter((failed) => failed.has(part)).length);
      const best = this.#parts[counts.indexOf(Math.max(...counts))]!;
      filters.push(best);
      rest = rest.filter((failed) => !failed.has(best));
    }
    return { op: 'and', filters };
  }
}

function conjuncts(filter: Filter): readonly Filter[] {
  return filter.op === 'and' ? filter.filters.flatMap(conjuncts) : [filter];
}
