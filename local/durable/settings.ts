import { availableParallelism } from 'node:os';
import { AppError } from '../../shared/core/errors.ts';

const dayMs = 86_400_000;

export interface DurableSettings {
  readonly maxConcurrentActivityFunctions: number;
  readonly maxConcurrentOrchestratorFunctions: number;
  readonly maxConcurrentEntityFunctions: number;
  readonly maxEntityOperationBatchSize: number;
  readonly maxOrchestrationActions: number;
  readonly overridableExistingInstanceStates: 'NonRunningStates' | 'AnyState';
  /** A longer timer becomes a chain of `longTimerIntervalMs`. Both are those of the Azure Storage provider. */
  readonly maxShortTimerMs: number;
  readonly longTimerIntervalMs: number;
  readonly maxCustomStatusBytes: number;
}

/**
 * Reads `extensions.durableTask` of host.json. Accepts and ignores settings for Azure Storage, tracing and scale-out.
 *
 * @throws AppError INVALID_ARGUMENT naming every fault
 */
export function readDurableSettings(raw: unknown): DurableSettings {
  const section = typeof raw === 'object' && raw !== null ? (raw as Readonly<Record<string, unknown>>) : {};
  const faults: string[] = [];
  const positive = (name: string, fallback: number): number => {
    const value = section[name];
    if (value === undefined) return fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    faults.push(`${name} must be a positive integer, not ${JSON.stringify(value)}`);
    return fallback;
  };
  const concurrency = 10 * availableParallelism();
  const overridable = section['overridableExistingInstanceStates'] ?? 'NonRunningStates';
  if (overridable !== 'NonRunningStates' && overridable !== 'AnyState')
    faults.push(
      `overridableExistingInstanceStates must be NonRunningStates or AnyState, not ${JSON.stringify(overridable)}`,
    );
  const settings: DurableSettings = {
    maxConcurrentActivityFunctions: positive('maxConcurrentActivityFunctions', concurrency),
    maxConcurrentOrchestratorFunctions: positive('maxConcurrentOrchestratorFunctions', concurrency),
    maxConcurrentEntityFunctions: positive('maxConcurrentEntityFunctions', concurrency),
    maxEntityOperationBatchSize: positive('maxEntityOperationBatchSize', 5000),
    maxOrchestrationActions: positive('maxOrchestrationActions', 100_000),
    overridableExistingInstanceStates: overridable === 'AnyState' ? 'AnyState' : 'NonRunningStates',
    maxShortTimerMs: 6 * dayMs,
    longTimerIntervalMs: 3 * dayMs,
    maxCustomStatusBytes: 16 * 1024,
  };
  if (faults.length > 0)
    throw new AppError('INVALID_ARGUMENT', `host.json extensions.durableTask: ${faults.join('; ')}.`, {
      faults,
    });
  return settings;
}
