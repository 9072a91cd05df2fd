/** One measured figure, as every benchmark prints it: one JSON line. */
export interface Figure {
  readonly bench: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same figure of the peer, measured in the same run; null when the peer is not installed. */
  readonly peer: number | null;
  readonly ratio: number | null;
  readonly goal: string;
  readonly met: boolean | null;
}

interface Measured {
  readonly bench: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: number | null;
  /** The expected figure, such as `ratio >= 0.5` or `value <= 3`. */
  readonly goal: string;
}

/**
 * Compares a figure with its goal.
 *
 * @throws Error for an invalid goal
 */
export function checkGoal({ peer, goal, value, ...rest }: Measured): Figure {
  const [, subject, comparison, limit] = /^(ratio|value) (>=|<=) ([\d.]+)$/.exec(goal) ?? [];
  if (subject === undefined || limit === undefined) throw new Error(`invalid goal: ${goal}`);
  const ratio = peer === undefined || peer === null ? null : round(value / peer);
  const checked = subject === 'ratio' ? ratio : value;
  const met =
    checked === null ? null : comparison === '>=' ? checked >= Number(limit) : checked <= Number(limit);
  return { ...rest, value: round(value), peer: peer == null ? null : round(peer), ratio, goal, met };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
