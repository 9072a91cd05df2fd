import { z } from 'zod';
import type { PipelineDefinition } from '../definition.ts';
import { stageFile } from '../steps/stage-file.ts';

export const ingest: PipelineDefinition = {
  description: 'A landed file becomes the next version of its dataset.',
  version: 3,
  params: z.strictObject({ source: stageFile.params.shape.source }),
  steps: [
    { name: 'stage', uses: 'stage-file', with: { source: '${{ params.source }}' } },
    { name: 'commit', uses: 'commit-version', input: { staged: 'stage' } },
    { name: 'profile', uses: 'profile-version', input: { version: 'commit' } },
    { name: 'announce', uses: 'announce-version', input: { version: 'commit' } },
  ],
};
