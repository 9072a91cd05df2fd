import { z } from 'zod';
import { readFilePath, readFolderPath } from '../../../domains/artifacts/artifact-path.ts';
import type { ArtifactStore } from '../../../domains/artifacts/artifact-store.ts';
import type { Route } from '../../http/route.ts';
import { sendArtifact } from './reply.ts';
import { type ArtifactServices, defineFileRoute, fromEntries, readLength } from './routes.ts';
import { multipartEndpoints } from './multipart.ts';
import { ownedArtifactEndpoints } from './owned.ts';
import { defineEndpoint } from '../endpoint.ts';
import { text } from '../messages/message.ts';

/** Everything about artifacts under `/api/2.0`. */
export function artifactEndpoints(services: ArtifactServices): readonly Route[] {
  return [
    ...proxyEndpoints(services.artifacts),
    ...multipartEndpoints(services.signedAccess),
    ...ownedArtifactEndpoints(services),
  ];
}

/** `mlflow-artifacts/artifacts`: the files themselves, by the path that an artifact URI says. */
function proxyEndpoints(artifacts: ArtifactStore): readonly Route[] {
  const path = 'mlflow-artifacts/artifacts/{*path}';
  return [
    ...defineEndpoint({
      methods: ['GET'],
      path: 'mlflow-artifacts/artifacts',
      summary: 'What lies directly in a folder, by base names; nothing for a file.',
      role: 'reader',
      message: z.object({ path: text().default('') }),
      handle: async (message) => ({
        files: fromEntries(await artifacts.listWhole(readFolderPath(message.path)), ''),
      }),
    }),
    defineFileRoute({
      method: 'GET',
      path,
      summary: 'Downloads a file, or a range of it.',
      role: 'reader',
      handle: async (request) => sendArtifact(artifacts, readFilePath(request.params['path']!), request),
    }),
    defineFileRoute({
      method: 'PUT',
      path,
      summary: 'Keeps a file, in place of what was there, once its last byte is here.',
      role: 'contributor',
      handle: async ({ params, headers, bytes }) => {
        const file = readFilePath(params['path']!);
        await artifacts.upload(file, bytes, readLength(headers.get('content-length')));
        return { json: {} };
      },
    }),
    defineFileRoute({
      method: 'DELETE',
      path,
      summary: 'Deletes a file, or a folder with all that is in it.',
      role: 'contributor',
      handle: async ({ params, signal }) => {
        await artifacts.remove(readFolderPath(params['path']!), signal);
        return { json: {} };
      },
    }),
  ];
}
