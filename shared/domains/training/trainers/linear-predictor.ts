import type { FeatureColumn, LinearTerm } from '../entities.ts';

/**
 * The sum of a model's terms for each of `rows`, without its intercept, summed in the order of the terms: that of the
 * ONNX graph, so that both round alike.
 *
 * @param terms One a feature, in the order of the features.
 * @throws TypeError when a term does not match its feature.
 * @example
 * const terms = [{ kind: 'numeric', name: 'x', centre: 1, weight: 2, missing: -5 }];
 * const features = [{ kind: 'numeric', name: 'x', values: Float32Array.of(4, NaN) }];
 * sumTerms(terms, features, Int32Array.of(0, 1)) // Float64Array.of(6, -5)
 */
export function sumTerms(
  terms: readonly LinearTerm[],
  features: readonly FeatureColumn[],
  rows: Int32Array,
): Float64Array {
  const sums = new Float64Array(rows.length);
  for (const [index, term] of terms.entries()) addTerm(sums, term, features[index], rows);
  return sums;
}

function addTerm(
  sums: Float64Array,
  term: LinearTerm,
  column: FeatureColumn | undefined,
  rows: Int32Array,
): void {
  if (term.kind === 'numeric' && column?.kind === 'numeric') {
    for (const [i, row] of rows.entries()) {
      const x = column.values[row]!;
      const summand = Number.isNaN(x) ? term.missing : (x - term.centre) * term.weight;
      sums[i] = sums[i]! + summand;
    }
  } else if (term.kind === 'categorical' && column?.kind === 'categorical') {
    const weightOf = new Map<string | number, number>();
    for (const [k, key] of term.keys.values.entries()) weightOf.set(key, term.weights[k]!);
    const keys: readonly (string | number)[] = column.keys.values;
    const byCode = Float64Array.from(keys, (key) => weightOf.get(key) ?? 0);
    for (const [i, row] of rows.entries()) sums[i] = sums[i]! + (byCode[column.codes[row]!] ?? 0);
  } else throw new TypeError(`term "${term.name}" does not match feature "${column?.name}"`);
}
