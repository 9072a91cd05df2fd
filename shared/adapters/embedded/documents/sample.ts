import type { JsonObject } from '../../../core/json.ts';
import type { Filter } from '../../../platform/storage/documents.ts';
import { evaluateFilter } from './matches.ts';

/** Where fewer than one in eight documents is wanted, the indexes are asked what else they know. */
const luckyShare = 8;
/** Conditions are looked up until they would have kept away so many of the failing documents. */
const keptAwayShare = 0.95;

/** Which conditions the documents of a walk fail at. */
export class Sample {
  readonly #size: number;
  readonly #parts: readonly Filter[];
  /** For each failing document, the conditions that it fails at. */
  readonly #failures: ReadonlySet<Filter>[] = [];

  /** @param size how many documents to judge by */
  constructor(filter: Filter, size: number) {
    this.#size = size;
    this.#parts = conjuncts(filter);
  }

  add(body: JsonObject): void {
    this.#failures.push(new Set(this.#parts.filter((part) => evaluateFilter(part, body) !== true)));
  }

  isUnlucky(visitedDocuments: number): boolean {
    const matching = visitedDocuments - this.#failures.length;
    return visitedDocuments >= this.#size && matching * luckyShare < visitedDocuments;
  }

  /** The few conditions at which, together, nearly all fail: each the best at what those before it let through. */
  tellingPart(): Filter {
    const filters: Filter[] = [];
    let rest: readonly ReadonlySet<Filter>[] = this.#failures;
    while (rest.length > this.#failures.length * (1 - keptAwayShare)) {
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
