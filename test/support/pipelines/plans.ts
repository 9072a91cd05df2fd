import { type Plan, planFormat, type PlannedStep } from '../../../shared/domains/pipelines/plan.ts';

export const once = { maxAttempts: 1, firstDelayMs: 0, backoff: 1 };

/** A step that reads the output of each step that it needs, as an input of the same name. */
export function stepOf(
  name: string,
  needs: readonly string[] = [],
  retry: PlannedStep['retry'] = once,
): PlannedStep {
  const input = Object.fromEntries(needs.map((need) => [need, need]));
  return { name, uses: name, with: {}, input, needs: [...needs], retry };
}

export function planOf(steps: readonly PlannedStep[]): Plan {
  return { format: planFormat, pipeline: 'p', definition: 'd', definitionVersion: 1, params: {}, steps };
}
