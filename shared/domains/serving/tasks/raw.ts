import { z } from 'zod';
import type { Task } from './task.ts';

const declared = z.strictObject({ task: z.literal('raw') });
export type RawTask = z.infer<typeof declared>;

/** The meaning of the outputs is unknown, so requests are answered by the tensors themselves. */
export const raw = {
  description: 'Tensors in, tensors out.',
  metrics: [],
  declared,
  prediction: z.never(),
  bind: () => ({ task: 'raw' }),
  outputs: () => [],
  predict: () => [],
} as const satisfies Task<RawTask, RawTask, never>;
