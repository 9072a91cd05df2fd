import { z } from 'zod';
import type { Route } from '../../http/route.ts';
import type { ModelVersionView } from '../../../domains/registry/entities.ts';
import type { Registration } from '../../../domains/registry/registration.ts';
import type { Registry } from '../../../domains/registry/registry.ts';
import { defineEndpoint } from '../endpoint.ts';
import { flag, keyValues, repeated, requiredText, text } from '../messages/message.ts';
import {
  fromKeyValues,
  listed,
  maxResults,
  toModelVersion,
  toSearch,
  toVersionNumber,
  versionText,
} from '../messages/registry.ts';
import { versionNames } from '../search-names.ts';

const byVersion = { name: requiredText(), version: versionText() };

/** Default and upper bound of `max_results`; a page is smaller. */
const maxVersions = 200_000;

/** MLflow's model versions. */
export function modelVersionEndpoints(registry: Registry, registration: Registration): readonly Route[] {
  const { versions, stages } = registry;
  const answer = (version: ModelVersionView) => ({ model_version: toModelVersion(version) });
  return [
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/model-versions/create',
      summary: 'Registers the next version of a model.',
      role: 'contributor',
      timeoutMs: 60_000,
      message: z.object({
        name: requiredText(),
        source: requiredText(),
        run_id: text().optional(),
        run_link: text().optional(),
        model_id: text().optional(),
        description: text().optional(),
        tags: keyValues().default([]),
      }),
      handle: async (message, { principal }) => {
        const { name, source, run_id, run_link, model_id, description, tags } = message;
        const request = {
          model: name,
          source,
          runId: run_id,
          runLink: run_link,
          modelId: model_id,
          description,
          tags: fromKeyValues(tags),
        };
        return answer(await registration.register(request, principal.name));
      },
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/model-versions/get',
      summary: 'Gets a model version.',
      role: 'reader',
      message: z.object(byVersion),
      handle: async ({ name, version }) => answer(await versions.get(name, toVersionNumber(version))),
    }),
    defineEndpoint({
      methods: ['PATCH'],
      path: 'mlflow/model-versions/update',
      summary: 'Sets the description of a model version.',
      role: 'contributor',
      message: z.object({ ...byVersion, description: text().default('') }),
      handle: async ({ name, version, description }, { principal }) =>
        answer(await versions.update(name, toVersionNumber(version), description, principal.name)),
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/model-versions/transition-stage',
      summary: 'Moves a model version to a stage.',
      role: 'operator',
      message: z.object({
        ...byVersion,
        stage: requiredText(),
        archive_existing_versions: flag().default(false),
      }),
      handle: async ({ name, version, stage, archive_existing_versions }, { principal }) =>
        answer(
          await stages.transition(
            name,
            toVersionNumber(version),
            stage,
            archive_existing_versions,
            principal.name,
          ),
        ),
    }),
    defineEndpoint({
      methods: ['DELETE'],
      path: 'mlflow/model-versions/delete',
      summary: 'Deletes a model version and its aliases for good.',
      role: 'admin',
      message: z.object(byVersion),
      handle: async ({ name, version }, { principal }) => {
        await stages.remove(name, toVersionNumber(version), principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['GET', 'POST'],
      path: 'mlflow/model-versions/search',
      summary: 'Searches model versions across models.',
      role: 'reader',
      message: z.object({
        filter: text().default(''),
        max_results: maxResults(maxVersions, maxVersions),
        order_by: repeated(text()).default([]),
        page_token: text().default(''),
      }),
      handle: async (message) => {
        const { items, pageToken } = await versions.search({ ...toSearch(message), names: versionNames });
        return {
          ...listed('model_versions', items.map(toModelVersion)),
          ...(pageToken === undefined ? {} : { next_page_token: pageToken }),
        };
      },
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/model-versions/get-download-uri',
      summary: 'Gets the URI of the files of a model version.',
      role: 'reader',
      message: z.object(byVersion),
      handle: async ({ name, version }) => ({
        artifact_uri: (await versions.get(name, toVersionNumber(version))).storageLocation,
      }),
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/model-versions/set-tag',
      summary: 'Sets a tag of a model version.',
      role: 'contributor',
      message: z.object({ ...byVersion, key: requiredText(), value: text().default('') }),
      handle: async ({ name, version, key, value }, { principal }) => {
        await versions.setTag(name, toVersionNumber(version), key, value, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['DELETE'],
      path: 'mlflow/model-versions/delete-tag',
      summary: 'Deletes a tag of a model version.',
      role: 'contributor',
      message: z.object({ ...byVersion, key: requiredText() }),
      handle: async ({ name, version, key }, { principal }) => {
        await versions.deleteTag(name, toVersionNumber(version), key, principal.name);
        return {};
      },
    }),
  ].flat();
}
