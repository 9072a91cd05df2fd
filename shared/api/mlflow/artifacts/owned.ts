import { z } from 'zod';
import { joinPath, readFilePath, readFolderPath } from '../../../domains/artifacts/artifact-path.ts';
import { readArtifactUri } from '../../../domains/artifacts/artifact-uri.ts';
import { AppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Route } from '../../http/route.ts';
import { sendArtifact } from './reply.ts';
import { type ArtifactServices, defineFileRoute, fromEntries, locate, readLength } from './routes.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, requiredText, text } from '../messages/message.ts';
import { missingValue } from '../wording/parts.ts';

/** More would be an answer that no page shows; the token leads on. */
const pageSize = 5_000;
const uploadLimitBytes = 10 * 2 ** 20;
const maxLifetimeSeconds = 604_800;

/** Artifacts by whose they are: a run's or a logged model's. */
export function ownedArtifactEndpoints(services: ArtifactServices): readonly Route[] {
  return [...listEndpoints(services), ...presignEndpoints(services), ...fileRoutes(services)];
}

function listEndpoints({ artifacts, artifactLocations }: ArtifactServices): readonly Route[] {
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
      summary: "What lies directly in a folder of a run's artifacts; nothing for a file.",
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
      summary: "What lies directly in a folder of a logged model's artifacts; nothing for a file.",
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

function presignEndpoints({ signedAccess, artifactLocations }: ArtifactServices): readonly Route[] {
  const lifetimeMs = (seconds: number) => {
    if (seconds >= 1 && seconds <= maxLifetimeSeconds) return seconds * 1_000;
    throw new AppError(
      'INVALID_ARGUMENT',
      `expiration must be between 1 and ${maxLifetimeSeconds} seconds (got ${seconds}).`,
    );
  };
  return [
    ...defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/artifacts/presigned-upload-url',
      summary: 'A URL that takes a file of a run or a logged model.',
      role: 'contributor',
      message: z.object({
        run_id: text().default(''),
        model_id: text().default(''),
        path: requiredText(),
        expiration: int64().default(900),
      }),
      handle: async ({ run_id, model_id, path, expiration }) => {
        if ((run_id === '') === (model_id === ''))
          throw new AppError('INVALID_ARGUMENT', 'Exactly one of run_id and model_id must be provided.');
        const file = readFilePath(path);
        const lifetime = lifetimeMs(expiration);
        const owner = run_id === '' ? artifactLocations.loggedModel(model_id) : artifactLocations.run(run_id);
        const url = await signedAccess.signUpload(await locate(owner, file), lifetime);
        return { presigned_url: url, headers: { 'x-ms-blob-type': 'BlockBlob' } };
      },
    }),
    ...defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/artifacts/presigned-download-url',
      summary: 'A URL that downloads a file of a run.',
      role: 'reader',
      message: z.object({ run_id: requiredText(), path: requiredText(), expiration: int64().default(300) }),
      handle: async ({ run_id, path, expiration }) => {
        const file = readFilePath(path);
        const lifetime = lifetimeMs(expiration);
        const at = await locate(artifactLocations.run(run_id), file);
        const { url, sizeBytes } = await signedAccess.signDownload(at, lifetime);
        return { presigned_url: url, headers: {}, file_size: sizeBytes };
      },
    }),
  ];
}

function fileRoutes({ artifacts, artifactLocations }: ArtifactServices): readonly Route[] {
  return [
    defineFileRoute({
      method: 'GET',
      path: 'mlflow/logged-models/{model_id}/artifacts/files',
      summary: 'Downloads a file of a logged model.',
      role: 'reader',
      handle: async (request) => {
        const given = request.url.searchParams.get('artifact_file_path') ?? '';
        if (given === '')
          throw new AppError(
            'INVALID_ARGUMENT',
            'Request must include the "artifact_file_path" query parameter.',
          );
        const file = readFilePath(given);
        const at = await locate(artifactLocations.loggedModel(request.params['model_id']!), file);
        return sendArtifact(artifacts, at, request);
      },
    }),
    defineFileRoute({
      method: 'POST',
      path: 'mlflow/upload-artifact',
      summary: "Keeps a small file among a run's artifacts, as MLflow's pages do.",
      role: 'contributor',
      handle: async ({ url, headers, bytes }) => {
        const query = url.searchParams;
        const runId = query.get('run_uuid') || query.get('run_id');
        if (!runId) throw new AppError('INVALID_ARGUMENT', 'Request must specify run_uuid.');
        const path = query.get('path');
        if (!path) throw new AppError('INVALID_ARGUMENT', 'Request must specify path.');
        const file = readFilePath(path);
        const sizeBytes = readLength(headers.get('content-length'));
        if (sizeBytes === 0) throw new AppError('INVALID_ARGUMENT', 'Request must specify data.');
        if (sizeBytes !== undefined && sizeBytes > uploadLimitBytes) throw tooLarge();
        const at = await locate(artifactLocations.run(runId), file);
        await artifacts.upload(at, takeUpTo(bytes, uploadLimitBytes), sizeBytes);
        return { json: {} };
      },
    }),
  ];
}

/** `/get-artifact` and `/model-versions/get-artifact`, which MLflow has outside of its API's prefixes. */
export function downloadRoutes({ artifacts, artifactLocations }: ArtifactServices): readonly Route[] {
  const readPath = (url: URL) => {
    const path = url.searchParams.get('path');
    if (!path) throw new AppError('INVALID_ARGUMENT', 'Request must specify path.');
    return readFilePath(path);
  };
  return [
    defineFileRoute({
      name: 'mlflow-get-artifact',
      method: 'GET',
      path: 'get-artifact',
      summary: 'Downloads a file of a run.',
      role: 'reader',
      handle: async (request) => {
        const query = request.url.searchParams;
        const file = readPath(request.url);
        const runId = requireRun(query.get('run_id') || query.get('run_uuid') || undefined);
        return sendArtifact(artifacts, await locate(artifactLocations.run(runId), file), request);
      },
    }),
    defineFileRoute({
      name: 'mlflow-get-model-version-artifact',
      method: 'GET',
      path: 'model-versions/get-artifact',
      summary: 'Downloads a file of a model version.',
      role: 'reader',
      handle: async (request) => {
        const query = request.url.searchParams;
        const file = readPath(request.url);
        const model = query.get('name');
        const version = query.get('version');
        if (!model || !/^\d{1,9}$/.test(version ?? ''))
          throw new AppError('INVALID_ARGUMENT', 'Request must specify name and version, which is a number.');
        const at = await locate(artifactLocations.modelVersion(model, Number(version)), file);
        return sendArtifact(artifacts, at, request);
      },
    }),
  ];
}

function requireRun(runId: string | undefined): string {
  if (runId) return runId;
  throw new AppError('INVALID_ARGUMENT', missingValue('run_id'));
}

function tooLarge(): AppError {
  return new AppError('INVALID_ARGUMENT', 'Artifact size is too large. Max size is 10MB.');
}

async function* takeUpTo(bytes: AsyncIterable<Uint8Array>, limitBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) throw tooLarge();
    yield chunk;
  }
  if (sizeBytes === 0) throw new AppError('INVALID_ARGUMENT', 'Request must specify data.');
}
