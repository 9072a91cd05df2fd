/** One measured figure, as every benchmark prints it: one JSON line. */
export interface Figure {
  readonly bench: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same figure of what it is compared with, measured in the same run; null when that is not installed. */
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
  /** `ratio >= 0.5`, `value <= 3`: what the figure should be. */
  readonly goal: string;
}

/**
 * Judges a figure by its goal.
 *
 * @throws Error when the goal cannot be read
 */
export function judge({ peer, goal, value, ...rest }: Measured): Figure {
  const [, subject, comparison, limit] = /^(ratio|value) (>=|<=) ([\d.]+)$/.exec(goal) ?? [];
  if (subject === undefined || limit === undefined) throw new Error(`a goal cannot be read: ${goal}`);
  const ratio = peer === undefined || peer === null ? null : round(value / peer);
  const judged = subject === 'ratio' ? ratio : value;
  const met =
    judged === null ? null : comparison === '>=' ? judged >= Number(limit) : judged <= Number(limit);
  return { ...rest, value: round(value), peer: peer == null ? null : round(peer), ratio, goal, met };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
