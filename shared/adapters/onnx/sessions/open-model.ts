import type { ModelDescription } from '../../../domains/serving/scorer.ts';
import { refuseWeightFiles } from '../files/external-data.ts';
import { readModel } from '../files/read-model.ts';
import { createSession, type Session } from './session.ts';

export interface OpenedModel {
  readonly description: ModelDescription;
  readonly session: Session;
  release(): Promise<void>;
}

/**
 * Reads and loads a model in the calling thread: about 3 ms for 50 KB, and up to a second for trees of 10 MB.
 *
 * @throws AppError UNPROCESSABLE when it is damaged, keeps weights in other files or cannot be loaded.
 */
export async function openModel(bytes: Uint8Array): Promise<OpenedModel> {
  const description = readModel(bytes);
  // The runtime would look for them in the working directory.
  if (description.weightFiles.length > 0) throw refuseWeightFiles();
  const session = await createSession(bytes);
  return { description, session, release: () => session.release() };
}
