import { z } from 'zod';
import { parseTrainingSpec } from '../../training/catalog.ts';

/** A training spec, checked to the trainer's last parameter, with every default filled in. */
export const trainingParam = z.unknown().transform(parseTrainingSpec);
