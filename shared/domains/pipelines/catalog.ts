import type { PipelineDefinition, Step } from './step.ts';
import { announceVersion } from './steps/announce-version.ts';
import { commitVersion } from './steps/commit-version.ts';
import { deployModel } from './steps/deploy-model.ts';
import { profileVersion } from './steps/profile-version.ts';
import { recordRun } from './steps/record-run.ts';
import { registerModel } from './steps/register-model.ts';
import type { StepServices } from './steps/services.ts';
import { trainModel } from './steps/train-model.ts';
import { stageFile } from './steps/stage-file.ts';

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

type StepKind = keyof typeof steps;

interface TypedDefinition extends PipelineDefinition {
  readonly steps: readonly (PipelineDefinition['steps'][number] & { readonly uses: StepKind })[];
}

/** Every shape of pipeline. */
export const definitions = {
  ingest: {
    description: 'A landed file becomes the next version of its dataset.',
    version: 2,
    steps: [
      { name: 'stage', uses: 'stage-file', needs: [] },
      { name: 'commit', uses: 'commit-version', needs: ['stage'] },
      { name: 'profile', uses: 'profile-version', needs: ['commit'] },
      { name: 'announce', uses: 'announce-version', needs: ['commit'] },
    ],
  },
  'train-classifier': {
    description: 'A dataset version becomes a model version, and production if it passes the gate.',
    version: 2,
    steps: [
      { name: 'train', uses: 'train-model', needs: [] },
      { name: 'record', uses: 'record-run', needs: ['train'] },
      { name: 'register', uses: 'register-model', needs: ['train', 'record'] },
      { name: 'deploy', uses: 'deploy-model', needs: ['train', 'register'] },
    ],
  },
} as const satisfies Record<string, TypedDefinition>;
