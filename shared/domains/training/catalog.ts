import { AppError } from '../../core/errors.ts';
import { validate } from '../../core/validate.ts';
import { featureName, trainingSpecSchema, type TrainingSpec } from './entities.ts';
import { targetKinds } from './targets/catalog.ts';
import type { AnyTrainer } from './trainer.ts';
import { logistic } from './trainers/logistic.ts';

/** Every trainer, by the name that a training spec gives. */
export const trainers = { logistic } as const satisfies Record<string, AnyTrainer>;

export type TrainerName = keyof typeof trainers;

/** @throws AppError INVALID_ARGUMENT with the names of all trainers. */
export function findTrainer(name: string): AnyTrainer {
  if (Object.hasOwn(trainers, name)) return trainers[name as TrainerName];
  throw new AppError(
    'INVALID_ARGUMENT',
    `There is no trainer "${name}"; there is: ${Object.keys(trainers).join(', ')}.`,
    { trainer: name },
  );
}

/**
 * Checks a training spec to the last parameter and fills in every default, so that the record is complete.
 *
 * @throws AppError INVALID_ARGUMENT with `details.faults`.
 */
export function parseTrainingSpec(value: unknown): TrainingSpec {
  const spec = validate(trainingSpecSchema, value, 'training spec');
  const { name } = spec.trainer;
  const trainer = findTrainer(name);
  checkForTrainer(spec, trainer);
  const params = validate(trainer.params, spec.trainer.params, `parameters of trainer "${name}"`);
  return { ...spec, trainer: { name, params: params as Record<string, unknown> } };
}

/**
 * Checks what the trainer's task demands of a spec.
 *
 * @throws AppError INVALID_ARGUMENT with `details.faults`.
 */
export function checkForTrainer(spec: TrainingSpec, trainer: Pick<AnyTrainer, 'task'>): void {
  const kind = targetKinds[trainer.task];
  const problem = kind.checkLabel(spec.label);
  if (problem !== undefined)
    throw invalidSpec('label', `a label of trainer "${spec.trainer.name}" (${trainer.task}) ${problem}`);
  for (const [index, feature] of spec.features.entries())
    if (kind.outputNames.includes(featureName(feature)))
      throw invalidSpec(
        `features[${index}]`,
        `"${featureName(feature)}" is reserved: give the feature another name`,
      );
}

function invalidSpec(at: string, message: string): AppError {
  return new AppError('INVALID_ARGUMENT', `The training spec is not valid at ${at}: ${message}.`, {
    faults: [{ at, message }],
  });
}
