import { z } from 'zod';
import { readFilePath, readFolderPath } from '../../../domains/artifacts/artifact-path.ts';
import type { ArtifactStore } from '../../../domains/artifacts/artifact-store.ts';
import type { Route } from '../../http/route.ts';
import { sendArtifact } from './reply.ts';
import { type ArtifactServices, defineFileRoute, fromEntries, readLength } from './routes.ts';
import { multipartEndpoints } from './multipart.ts';
import { fileRoutes } from './files.ts';
import { listEndpoints } from './list.ts';
import { presignEndpoints } from './presign.ts';
import { defineEndpoint } from '../endpoint.ts';
import { text } from '../messages/message.ts';

/** All artifact routes under `/api/2.0`. */
export function artifactEndpoints(services: ArtifactServices): readonly Route[] {
  return [
    ...proxyEndpoints(services.artifacts),
    ...multipartEndpoints(services.signedAccess),
    ...listEndpoints(services),
    ...presignEndpoints(services),
    ...fileRoutes(services),
  ];
}

/** `mlflow-artifacts/artifacts`: files by the path of their artifact URI. */
function proxyEndpoints(artifacts: ArtifactStore): readonly Route[] {
  const path = 'mlflow-artifacts/artifacts/{*path}';
  return [
    ...defineEndpoint({
      methods: ['GET'],
      path: 'mlflow-artifacts/artifacts',
      summary: 'Lists a folder by base names; empty for a file.',
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
      summary: 'Uploads a file, atomically replacing an existing one.',
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
      summary: 'Deletes a file, or a folder with everything in it.',
      role: 'contributor',
      handle: async ({ params, signal }) => {
        await artifacts.remove(readFolderPath(params['path']!), signal);
        return { json: {} };
      },
    }),
  ];
}
