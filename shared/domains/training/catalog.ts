import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import type { PlacedFault } from '../../core/faults.ts';
import { refuse, validate } from '../../core/validate.ts';
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

/** One alternative for each trainer, with the trainer's own parameters. */
const [first, ...others] = Object.entries(trainers).map(([name, { params }]) =>
  z.strictObject({ name: z.literal(name), params: params.prefault({}) }),
);
const trainerChoice = z.discriminatedUnion('name', [first!, ...others]);

/** A training spec, checked to the trainer's last parameter, with every default filled in. */
export const trainingSchema = trainingSpecSchema
  .safeExtend({
    // The catalog has erased the types of the parameters.
    trainer: trainerChoice as unknown as typeof trainingSpecSchema.shape.trainer,
  })
  .superRefine((spec, context) => {
    for (const { path, message } of findFaults(spec, findTrainer(spec.trainer.name)))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

/**
 * Checks a training spec to the last parameter and fills in every default, so that the record is complete.
 *
 * @throws AppError INVALID_ARGUMENT with `details.faults`.
 */
export function parseTrainingSpec(value: unknown): TrainingSpec {
  return validate(trainingSchema, value, 'training spec');
}

/** What a spec has to fit, besides the trainer's parameters. */
type Demands = Pick<AnyTrainer, 'task' | 'featureKinds'>;

/**
 * Checks the label and the features of a spec against the trainer.
 *
 * @throws AppError INVALID_ARGUMENT with `details.faults`.
 */
export function checkForTrainer(spec: TrainingSpec, trainer: Demands): void {
  const faults = findFaults(spec, trainer);
  if (faults.length > 0) throw refuse('training spec', faults);
}

function findFaults(spec: TrainingSpec, { task, featureKinds }: Demands): readonly PlacedFault[] {
  const kind = targetKinds[task];
  const { name } = spec.trainer;
  const faults: PlacedFault[] = [];
  const problem = kind.checkLabel(spec.label);
  if (problem !== undefined)
    faults.push({ path: ['label'], message: `a label of trainer "${name}" (${task}) ${problem}` });
  for (const [index, feature] of spec.features.entries()) {
    if (kind.outputNames.includes(featureName(feature)))
      faults.push({
        path: ['features', index],
        message: `"${featureName(feature)}" is reserved: give the feature another name`,
      });
    if (featureKinds?.includes(feature.kind) === false)
      faults.push({
        path: ['features', index, 'kind'],
        message: `trainer "${name}" learns from ${featureKinds.join(' and ')} features only`,
      });
  }
  return faults;
}
