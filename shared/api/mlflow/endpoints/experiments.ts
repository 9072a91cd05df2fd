import { z } from 'zod';
import type { Route } from '../../http/route.ts';
import type { Tracking } from '../../../domains/tracking/tracking.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, keyValues, repeated, requiredText, text } from '../messages/message.ts';
import { fromExperiment, view } from '../messages/tracking.ts';
import { experimentNames } from '../search-names.ts';

const searchDefault = 1_000;
const experimentId = requiredText();

/** `mlflow/experiments/…` */
export function experimentEndpoints({ experiments, search }: Tracking): readonly Route[] {
  return [
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/experiments/create',
      summary: 'Creates an experiment under a free name.',
      role: 'contributor',
      message: z.object({
        name: requiredText(),
        artifact_location: text().optional(),
        tags: keyValues().default([]),
      }),
      handle: async ({ name, artifact_location, tags }, { principal }) => {
        const wanted = { name, artifactLocation: artifact_location, tags };
        const experiment = await experiments.create(wanted, principal.name);
        return { experiment_id: experiment.experimentId };
      },
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/experiments/get',
      summary: 'Gets an experiment, also a deleted one.',
      role: 'reader',
      message: z.object({ experiment_id: experimentId }),
      handle: async ({ experiment_id }) => ({
        experiment: fromExperiment(await experiments.get(experiment_id)),
      }),
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/experiments/get-by-name',
      summary: 'Gets the active experiment of a name, or else the deleted one.',
      role: 'reader',
      message: z.object({ experiment_name: requiredText() }),
      handle: async ({ experiment_name }) => ({
        experiment: fromExperiment(await experiments.getByName(experiment_name)),
      }),
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/experiments/update',
      summary: 'Renames an experiment.',
      role: 'contributor',
      message: z.object({ experiment_id: experimentId, new_name: requiredText() }),
      handle: async ({ experiment_id, new_name }, { principal }) => {
        await experiments.rename(experiment_id, new_name, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/experiments/delete',
      summary: 'Deletes an experiment with its runs; restoring brings both back.',
      role: 'contributor',
      message: z.object({ experiment_id: experimentId }),
      handle: async ({ experiment_id }, { principal }) => {
        await experiments.delete(experiment_id, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/experiments/restore',
      summary: 'Restores a deleted experiment with its runs.',
      role: 'contributor',
      message: z.object({ experiment_id: experimentId }),
      handle: async ({ experiment_id }, { principal }) => {
        await experiments.restore(experiment_id, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/experiments/set-experiment-tag',
      summary: 'Sets a tag of an experiment.',
      role: 'contributor',
      message: z.object({ experiment_id: experimentId, key: requiredText(), value: text().default('') }),
      handle: async ({ experiment_id, key, value }, { principal }) => {
        await experiments.setTag(experiment_id, { key, value }, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/experiments/delete-experiment-tag',
      summary: 'Deletes a tag of an experiment.',
      role: 'contributor',
      message: z.object({ experiment_id: experimentId, key: requiredText() }),
      handle: async ({ experiment_id, key }, { principal }) => {
        await experiments.deleteTag(experiment_id, key, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['GET', 'POST'],
      path: 'mlflow/experiments/search',
      summary: 'Searches experiments.',
      role: 'reader',
      message: z.object({
        view_type: view(),
        max_results: int64().default(searchDefault),
        filter: text().optional(),
        order_by: repeated(text()).optional(),
        page_token: text().optional(),
      }),
      handle: async (message) => {
        const found = await search.searchExperiments({
          stage: message.view_type,
          filter: message.filter,
          orderBy: message.order_by,
          limit: message.max_results,
          pageToken: message.page_token || undefined,
          names: experimentNames,
        });
        return {
          ...(found.items.length === 0 ? {} : { experiments: found.items.map(fromExperiment) }),
          ...(found.pageToken === undefined ? {} : { next_page_token: found.pageToken }),
        };
      },
    }),
  ].flat();
}
