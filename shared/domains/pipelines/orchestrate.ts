import { maxAttemptsFor } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json/json.ts';
import type { Schedule, ScheduledStep } from './plan.ts';

/** What the orchestration asks the one generic activity to do. */
export interface StepCall {
  readonly runId: string;
  /** Its kind and parameters are in the run's plan. */
  readonly step: string;
  readonly attempt: number;
  /** The outputs that it reads, by the name of the input. */
  readonly input: Readonly<Record<string, JsonValue>>;
}

/** An activity never throws for a failed step: the orchestration decides on retries from the result. */
export type StepOutcome =
  { readonly ok: true; readonly output: JsonValue } | { readonly ok: false; readonly error: StepError };

export interface StepError {
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
}

export interface RunResult {
  readonly status: 'succeeded' | 'failed';
  readonly outputs: Readonly<Record<string, JsonValue>>;
  readonly error?: StepError & { readonly step: string };
}

/** The few durable operations that the orchestration is made of; `Task` is the engine's own handle. */
export interface DurableTasks<Task> {
  callStep(call: StepCall): Task;
  finish(runId: string, result: RunResult): Task;
  all(tasks: readonly Task[]): Task;
  /** A timer this long after the orchestration's own current time. */
  sleep(ms: number): Task;
  /** Shown in the orchestration's status; at most 16 KB. */
  setStatus(status: Readonly<Record<string, string>>): void;
}

/**
 * Runs a plan: starts every step whose needs are met, waits for all of them, and so on. A step that failed and may be
 * tried again waits (first delay × backoff^attempt) and joins the next round; a failure that may not ends the run once
 * its siblings have ended. Deterministic, as a Durable orchestrator must be. Step names are user input, so outputs are
 * kept in a Map.
 */
export function* orchestrate<Task>(
  runId: string,
  { steps }: Schedule,
  tasks: DurableTasks<Task>,
): Generator<Task, RunResult, unknown> {
  const outputs = new Map<string, JsonValue>();
  const attempts = new Map<string, number>();
  let failure: RunResult['error'];
  while (failure === undefined) {
    const ready = steps.filter(
      (step) => !outputs.has(step.name) && step.needs.every((need) => outputs.has(need)),
    );
    if (ready.length === 0) break;
    tasks.setStatus(describe(steps, outputs, ready));
    for (const step of ready) attempts.set(step.name, (attempts.get(step.name) ?? 0) + 1);
    const calls = ready.map((step) =>
      tasks.callStep(toCall(runId, step, attempts.get(step.name) ?? 1, outputs)),
    );
    let outcomes: StepOutcome[];
    try {
      outcomes = (yield tasks.all(calls)) as StepOutcome[];
    } catch {
      // An activity timed out, or its process was lost. Called again, the steps that did succeed answer at once.
      outcomes = ready.map(() => ({ ok: false, error: lost }));
    }
    let delayMs = 0;
    for (const [i, step] of ready.entries()) {
      const outcome = outcomes[i];
      if (outcome === undefined) throw new Error(`no outcome for the step ${step.name}`);
      const attempt = attempts.get(step.name) ?? 1;
      if (outcome.ok) outputs.set(step.name, outcome.output);
      else if (!outcome.error.retry || attempt >= maxAttempts(step, outcome.error)) {
        failure ??= { step: step.name, ...outcome.error };
      } else delayMs = Math.max(delayMs, step.retry.firstDelayMs * step.retry.backoff ** (attempt - 1));
    }
    if (failure === undefined && delayMs > 0) yield tasks.sleep(delayMs);
  }
  const given = Object.fromEntries(outputs);
  const result: RunResult = failure
    ? { status: 'failed', outputs: given, error: failure }
    : { status: 'succeeded', outputs: given };
  tasks.setStatus(describe(steps, outputs, [], failure?.step));
  yield tasks.finish(runId, result);
  return result;
}

function maxAttempts({ retry }: ScheduledStep, { code }: StepError): number {
  return maxAttemptsFor(code === 'INTERNAL' ? 'maybe' : 'later', retry.maxAttempts);
}

const lost: StepError = { code: 'INTERNAL', message: 'The step ended without an outcome.', retry: true };

function toCall(
  runId: string,
  step: ScheduledStep,
  attempt: number,
  outputs: ReadonlyMap<string, JsonValue>,
): StepCall {
  const inputs = Object.entries(step.input).map(([name, source]) => [name, outputs.get(source) ?? null]);
  return {
    runId,
    step: step.name,
    attempt,
    input: Object.fromEntries(inputs) as Record<string, JsonValue>,
  };
}

function describe(
  steps: readonly ScheduledStep[],
  outputs: ReadonlyMap<string, JsonValue>,
  running: readonly ScheduledStep[],
  failed?: string,
): Record<string, string> {
  const stateOf = (step: ScheduledStep) => {
    if (outputs.has(step.name)) return 'succeeded';
    if (step.name === failed) return 'failed';
    return running.includes(step) ? 'running' : 'waiting';
  };
  return Object.fromEntries(steps.map((step) => [step.name, stateOf(step)]));
}
