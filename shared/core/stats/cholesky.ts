/**
 * Factors a symmetric positive definite matrix in place: A = L Lᵀ. Cost n³/3 multiplications, no memory.
 *
 * @param a n x n, row by row; only the lower triangle is read. On return it holds L (the strict upper triangle
 *   is left as it was).
 * @returns false when a pivot is not positive, that is, A is not positive definite to working precision (NaN
 *   included); `a` is then unusable.
 * @see Golub & Van Loan, Matrix Computations (4th ed.), algorithm 4.2.1 (by rows)
 * @example
 * const a = Float64Array.of(4, 0, 2, 5);
 * const positiveDefinite = choleskyFactor(a, 2);
 * positiveDefinite // true
 * a // Float64Array.of(2, 0, 1, 2)
 */
export function choleskyFactor(a: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const sum = at(a, i * n + j) - dotRows(a, i * n, j * n, j);
      a[i * n + j] = sum / at(a, j * n + j);
    }
    const pivot = at(a, i * n + i) - dotRows(a, i * n, i * n, i);
    if (!(pivot > 0)) return false;
    a[i * n + i] = Math.sqrt(pivot);
  }
  return true;
}

/**
 * Solves L Lᵀ x = b in place, given the factor of `choleskyFactor`. Cost 2n² multiplications.
 *
 * @param l n x n, row by row, L in the lower triangle.
 * @param b Length n; on return it holds x.
 */
export function choleskySolve(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = at(b, i);
    for (let j = 0; j < i; j++) sum -= at(l, i * n + j) * at(b, j);
    b[i] = sum / at(l, i * n + i);
  }
  for (let i = n - 1; i >= 0; i--) {
    // By columns of Lᵀ, which are rows of L: memory is read in order.
    const x = at(b, i) / at(l, i * n + i);
    b[i] = x;
    for (let j = 0; j < i; j++) b[j] = at(b, j) - at(l, i * n + j) * x;
  }
}

function dotRows(a: Float64Array, first: number, second: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += at(a, first + k) * at(a, second + k);
  return sum;
}

/** Callers keep the index within the array; a wrong length shows as NaN, never as a silent 0. */
function at(a: Float64Array, index: number): number {
  return a[index]!;
}
