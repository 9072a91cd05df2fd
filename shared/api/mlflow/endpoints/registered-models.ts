import { z } from 'zod';
import { AppError, isAppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import type { Route } from '../../http/route.ts';
import type { Model, ModelVersionView } from '../../../domains/registry/entities.ts';
import { newestOf } from '../../../domains/registry/registration.ts';
import type { Registry } from '../../../domains/registry/registry.ts';
import { checkAliasName } from '../../../domains/registry/rules.ts';
import { defineEndpoint } from '../endpoint.ts';
import { keyValues, repeated, requiredText, text } from '../messages/message.ts';
import {
  fromKeyValues,
  listed,
  maxResults,
  toModelVersion,
  toSearch,
  toTags,
  toVersionNumber,
  versionText,
} from '../messages/registry.ts';
import { modelNames } from '../search-names.ts';

const byName = { name: requiredText() };
const byAlias = { ...byName, alias: requiredText() };

/** Upper bound of a page. */
const maxModels = 1_000;

/** MLflow's registered models, their tags and aliases. */
export function registeredModelEndpoints(registry: Registry): readonly Route[] {
  const { models, versions, aliases } = registry;
  const answer = async (model: Model) => ({ registered_model: await describe(registry, model) });
  return [
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/registered-models/create',
      summary: 'Creates a registered model.',
      role: 'contributor',
      message: z.object({ ...byName, tags: keyValues().default([]), description: text().default('') }),
      handle: async ({ name, tags, description }, { principal }) =>
        answer(await models.create({ name, description, tags: fromKeyValues(tags) }, principal.name)),
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/registered-models/get',
      summary: 'Gets a registered model with its newest version in each stage.',
      role: 'reader',
      message: z.object(byName),
      handle: async ({ name }) => answer(await models.get(name)),
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/registered-models/rename',
      summary: 'Renames a registered model.',
      role: 'contributor',
      message: z.object({ ...byName, new_name: requiredText() }),
      handle: async ({ name, new_name }, { principal }) =>
        answer(await models.rename(name, new_name, principal.name)),
    }),
    defineEndpoint({
      methods: ['PATCH'],
      path: 'mlflow/registered-models/update',
      summary: 'Sets the description of a registered model.',
      role: 'contributor',
      message: z.object({ ...byName, description: text().default('') }),
      handle: async ({ name, description }, { principal }) =>
        answer(await models.update(name, description, principal.name)),
    }),
    defineEndpoint({
      methods: ['DELETE'],
      path: 'mlflow/registered-models/delete',
      summary: 'Deletes a registered model with its versions and aliases for good.',
      role: 'admin',
      message: z.object(byName),
      handle: async ({ name }, { principal }) => {
        await models.remove(name, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['GET', 'POST'],
      path: 'mlflow/registered-models/search',
      summary: 'Searches registered models.',
      role: 'reader',
      message: z.object({
        filter: text().default(''),
        max_results: maxResults(100, maxModels),
        order_by: repeated(text()).default([]),
        page_token: text().default(''),
      }),
      handle: async (message) => {
        const { items, pageToken } = await models.search({ ...toSearch(message), names: modelNames });
        return {
          ...listed('registered_models', await inGroups(items, (model) => describe(registry, model))),
          ...(pageToken === undefined ? {} : { next_page_token: pageToken }),
        };
      },
    }),
    defineEndpoint({
      methods: ['GET', 'POST'],
      path: 'mlflow/registered-models/get-latest-versions',
      summary: 'Gets the newest version of each stage.',
      role: 'reader',
      message: z.object({ ...byName, stages: repeated(text()).default([]) }),
      handle: async ({ name, stages }) =>
        listed('model_versions', (await versions.latest(name, stages)).map(toModelVersion)),
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/registered-models/set-tag',
      summary: 'Sets a tag of a registered model.',
      role: 'contributor',
      message: z.object({ ...byName, key: requiredText(), value: text().default('') }),
      handle: async ({ name, key, value }, { principal }) => {
        await models.setTag(name, key, value, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['DELETE'],
      path: 'mlflow/registered-models/delete-tag',
      summary: 'Deletes a tag of a registered model.',
      role: 'contributor',
      message: z.object({ ...byName, key: requiredText() }),
      handle: async ({ name, key }, { principal }) => {
        await models.deleteTag(name, key, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/registered-models/alias',
      summary: 'Points an alias at a version.',
      role: 'operator',
      message: z.object({ ...byAlias, version: versionText() }),
      handle: async ({ name, alias, version }, { principal }) => {
        await aliases.move(name, alias, toVersionNumber(version), principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['DELETE'],
      path: 'mlflow/registered-models/alias',
      summary: 'Deletes an alias.',
      role: 'operator',
      message: z.object(byAlias),
      handle: async ({ name, alias }, { principal }) => {
        await aliases.remove(name, alias, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/registered-models/alias',
      summary: 'Gets the version that an alias points at.',
      role: 'reader',
      message: z.object(byAlias),
      handle: async ({ name, alias }) => ({
        model_version: toModelVersion(await findByAlias(registry, name, alias)),
      }),
    }),
  ].flat();
}

async function findByAlias(registry: Registry, name: string, alias: string): Promise<ModelVersionView> {
  checkAliasName(alias);
  if (alias.toLowerCase() === 'latest') return newestOf(name, await registry.versions.latest(name));
  const model = await registry.models.get(name);
  const version = Object.hasOwn(model.aliases, alias) ? model.aliases[alias] : undefined;
  // MLflow treats an unknown alias as an invalid argument, not as a missing object.
  const unknown = new AppError('INVALID_ARGUMENT', `Registered model alias ${alias} not found.`, { alias });
  if (version === undefined) throw unknown;
  try {
    return await registry.versions.get(name, version);
  } catch (error) {
    throw isAppError(error, 'NOT_FOUND') ? unknown : error;
  }
}

async function describe(registry: Registry, model: Model): Promise<JsonObject> {
  const latest = await registry.versions.latestOf(model);
  return {
    name: model.name,
    creation_timestamp: model.createdAt,
    last_updated_timestamp: model.updatedAt,
    ...(model.description === '' ? {} : { description: model.description }),
    ...listed('latest_versions', latest.map(toModelVersion)),
    ...listed('tags', toTags(model.tags)),
    ...listed(
      'aliases',
      Object.entries(model.aliases).map(([alias, version]) => ({ alias, version: String(version) })),
    ),
  };
}

/** Bounds the concurrent reads of a page. */
async function inGroups<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let at = 0; at < items.length; at += 16)
    done.push(...(await Promise.all(items.slice(at, at + 16).map(work))));
  return done;
}
