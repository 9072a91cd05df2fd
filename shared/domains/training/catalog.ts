import { AppError } from '../../core/errors.ts';
import { validate } from '../../core/validate.ts';
import { trainingSpecSchema, type TrainedModel, type TrainingSpec } from './entities.ts';
import type { Trainer } from './trainer.ts';
import { logistic } from './trainers/logistic.ts';

/** A trainer whose parameter and model types have been forgotten: what it gave is only given back to it. */
export type AnyTrainer = Trainer<unknown, TrainedModel>;

/** Every trainer, by the name that a training spec gives. */
export const trainers = { logistic } as const satisfies Record<string, AnyTrainer>;

type TrainerName = keyof typeof trainers;

/** @throws AppError INVALID_ARGUMENT naming the trainers there are. */
export function findTrainer(name: string): AnyTrainer {
  if (Object.hasOwn(trainers, name)) return trainers[name as TrainerName];
  throw new AppError(
    'INVALID_ARGUMENT',
    `There is no trainer "${name}"; there is: ${Object.keys(trainers).join(', ')}.`,
    { trainer: name },
  );
}

/**
 * Checks a training spec to the last parameter and fills in every default, so that what is recorded says it all.
 *
 * @throws AppError INVALID_ARGUMENT with `details.faults`.
 */
export function parseTrainingSpec(value: unknown): TrainingSpec {
  const spec = validate(trainingSpecSchema, value, 'training spec');
  const { name } = spec.trainer;
  const params = validate(findTrainer(name).params, spec.trainer.params, `parameters of trainer "${name}"`);
  return { ...spec, trainer: { name, params: params as Record<string, unknown> } };
}
