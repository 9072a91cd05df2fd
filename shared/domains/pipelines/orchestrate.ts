import type { JsonValue } from '../../core/json.ts';
import type { Plan, PlannedStep } from './plan.ts';

/** What the orchestration asks the one generic activity to do. */
export interface StepCall {
  readonly runId: string;
  readonly step: string;
  readonly uses: string;
  readonly attempt: number;
  readonly params: Plan['params'];
  /** The outputs of the steps that this one needs, by name. */
  readonly needs: Readonly<Record<string, JsonValue>>;
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
  /** Shown to whoever asks for the run's state; at most 16 KB. */
  setStatus(status: Readonly<Record<string, string>>): void;
}

/**
 * Runs a plan: every step whose needs are met starts, all of them are awaited, and so on. A step that failed and
 * may be tried again waits (first delay × backoff^attempt) and joins the next round; the first that may not ends
 * the run once its siblings have ended. Deterministic, as a Durable orchestrator must be.
 */
export function* orchestrate<Task>(
  runId: string,
  plan: Plan,
  tasks: DurableTasks<Task>,
): Generator<Task, RunResult, unknown> {
  const outputs: Record<string, JsonValue> = {};
  const attempts = new Map<string, number>();
  let failure: RunResult['error'];
  while (failure === undefined) {
    const ready = plan.steps.filter(
      (step) => !(step.name in outputs) && step.needs.every((need) => need in outputs),
    );
    if (ready.length === 0) break;
    tasks.setStatus(describe(plan, outputs, ready));
    for (const step of ready) attempts.set(step.name, (attempts.get(step.name) ?? 0) + 1);
    const calls = ready.map((step) =>
      tasks.callStep(toCall(runId, plan, step, attempts.get(step.name) ?? 1, outputs)),
    );
    let outcomes: StepOutcome[];
    try {
      outcomes = (yield tasks.all(calls)) as StepOutcome[];
    } catch {
      // Not even an outcome: the function timed out, or its process was lost. Those that did succeed will say so.
      outcomes = ready.map(() => ({ ok: false, error: lost }));
    }
    let delayMs = 0;
    for (const [i, step] of ready.entries()) {
      const outcome = outcomes[i];
      if (outcome === undefined) throw new Error(`no outcome for the step ${step.name}`);
      const attempt = attempts.get(step.name) ?? 1;
      if (outcome.ok) outputs[step.name] = outcome.output;
      else if (!outcome.error.retry || attempt >= maxAttempts(step, outcome.error)) {
        failure ??= { step: step.name, ...outcome.error };
      } else delayMs = Math.max(delayMs, step.retry.firstDelayMs * step.retry.backoff ** (attempt - 1));
    }
    if (failure === undefined && delayMs > 0) yield tasks.sleep(delayMs);
  }
  const result: RunResult = failure
    ? { status: 'failed', outputs, error: failure }
    : { status: 'succeeded', outputs };
  tasks.setStatus(describe(plan, outputs, [], failure?.step));
  yield tasks.finish(runId, result);
  return result;
}

/** A failure that nobody foresaw is more often a defect than an outage: it is told sooner. */
const maxUnforeseenAttempts = 3;

function maxAttempts({ retry }: PlannedStep, { code }: StepError): number {
  return code === 'INTERNAL' ? Math.min(retry.maxAttempts, maxUnforeseenAttempts) : retry.maxAttempts;
}

const lost: StepError = { code: 'INTERNAL', message: 'The step ended without an outcome.', retry: true };

function toCall(
  runId: string,
  plan: Plan,
  step: PlannedStep,
  attempt: number,
  outputs: Readonly<Record<string, JsonValue>>,
): StepCall {
  const needs = Object.fromEntries(step.needs.map((need) => [need, outputs[need] ?? null]));
  return { runId, step: step.name, uses: step.uses, attempt, params: plan.params, needs };
}

function describe(
  plan: Plan,
  outputs: Readonly<Record<string, JsonValue>>,
  running: readonly PlannedStep[],
  failed?: string,
): Record<string, string> {
  const stateOf = (step: PlannedStep) => {
    if (step.name in outputs) return 'succeeded';
    if (step.name === failed) return 'failed';
    return running.includes(step) ? 'running' : 'waiting';
  };
  return Object.fromEntries(plan.steps.map((step) => [step.name, stateOf(step)]));
}
