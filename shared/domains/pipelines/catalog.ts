import type { PipelineDefinition } from './definition.ts';
import { ingest } from './definitions/ingest.ts';
import { trainClassifier } from './definitions/train-classifier.ts';
import type { Step } from './step.ts';
import { announceVersion } from './steps/announce-version.ts';
import { commitVersion } from './steps/commit-version.ts';
import { deployModel } from './steps/deploy-model.ts';
import { profileVersion } from './steps/profile-version.ts';
import { recordRun } from './steps/record-run.ts';
import { registerModel } from './steps/register-model.ts';
import type { StepServices } from './steps/services.ts';
import { stageFile } from './steps/stage-file.ts';
import { trainModel } from './steps/train-model.ts';

/** Every kind of step: a new one is a file and a line here. */
export const steps = {
  'stage-file': stageFile,
  'commit-version': commitVersion,
  'profile-version': profileVersion,
  'announce-version': announceVersion,
  'train-model': trainModel,
  'record-run': recordRun,
  'register-model': registerModel,
  'deploy-model': deployModel,
} as const satisfies Record<string, Step<StepServices>>;

/** Every built-in pipeline: a new one is a file and a line here. */
export const definitions = {
  ingest,
  'train-classifier': trainClassifier,
} as const satisfies Record<string, PipelineDefinition>;
