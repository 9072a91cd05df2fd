import { z } from 'zod';
import type { PipelineDefinition } from '../definition.ts';
import { deployModel } from '../steps/deploy-model.ts';
import { trainModel } from '../steps/train-model.ts';

const { dataset, version, model, training } = trainModel.params.shape;

export const trainClassifier: PipelineDefinition = {
  description: 'A dataset version becomes a model version, and production if it passes the gate.',
  version: 4,
  params: z.strictObject({ dataset, version, model, training, gate: deployModel.params.shape.gate }),
  steps: [
    {
      name: 'train',
      uses: 'train-model',
      with: {
        dataset: '${{ params.dataset }}',
        version: '${{ params.version }}',
        model: '${{ params.model }}',
        training: '${{ params.training }}',
      },
    },
    { name: 'record', uses: 'record-run', input: { trained: 'train' } },
    { name: 'register', uses: 'register-model', input: { trained: 'record' } },
    {
      name: 'deploy',
      uses: 'deploy-model',
      with: { gate: '${{ params.gate }}' },
      input: { registered: 'register' },
    },
  ],
};
