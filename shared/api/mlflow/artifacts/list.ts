import { z } from 'zod';
import { joinPath, readFolderPath } from '../../../domains/artifacts/artifact-path.ts';
import { readArtifactUri } from '../../../domains/artifacts/artifact-uri.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import type { Route } from '../../http/route.ts';
import { defineEndpoint } from '../endpoint.ts';
import { requiredText, text } from '../messages/message.ts';
import { type ArtifactServices, fromEntries, requireRun } from './routes.ts';

/** Bounds the size of an answer. */
const pageSize = 5_000;

/** Lists the artifacts of a run or a logged model. */
export function listEndpoints({ artifacts, artifactLocations }: ArtifactServices): readonly Route[] {
  const list = async (
    owner: () => Promise<string>,
    path: string,
    cursor: string | undefined,
  ): Promise<JsonObject> => {
    const below = readFolderPath(path);
    const rootUri = await owner();
    const folder = joinPath(readArtifactUri(rootUri), below);
    const page = await artifacts.list(folder, { limit: pageSize, ...(cursor ? { cursor } : {}) });
    const files = fromEntries(page.entries, below);
    return {
      root_uri: rootUri,
      files,
      ...(page.cursor === undefined ? {} : { next_page_token: page.cursor }),
    };
  };
  return [
    ...defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/artifacts/list',
      summary: "Lists a folder of a run's artifacts; empty for a file.",
      role: 'reader',
      message: z.object({
        run_id: text().optional(),
        run_uuid: text().optional(),
        path: text().default(''),
        page_token: text().optional(),
      }),
      handle: async ({ run_id, run_uuid, path, page_token }) => {
        const runId = requireRun(run_id || run_uuid);
        return list(() => artifactLocations.run(runId), path, page_token);
      },
    }),
    ...defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/logged-models/{model_id}/artifacts/directories',
      summary: "Lists a folder of a logged model's artifacts; empty for a file.",
      role: 'reader',
      message: z.object({
        model_id: requiredText(),
        artifact_directory_path: text().default(''),
        page_token: text().optional(),
      }),
      handle: async (message) =>
        list(
          () => artifactLocations.loggedModel(message.model_id),
          message.artifact_directory_path,
          message.page_token,
        ),
    }),
  ];
}
