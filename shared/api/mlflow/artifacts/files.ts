import { readFilePath } from '../../../domains/artifacts/artifact-path.ts';
import { AppError } from '../../../core/errors.ts';
import type { Route } from '../../http/route.ts';
import { sendArtifact } from './reply.ts';
import { type ArtifactServices, defineFileRoute, locate, readLength } from './routes.ts';

const uploadLimitBytes = 10 * 2 ** 20;

/** Downloads a file of a logged model, and uploads one to a run. */
export function fileRoutes({ artifacts, artifactLocations }: ArtifactServices): readonly Route[] {
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
      summary: "Uploads a small file to a run's artifacts, as MLflow's pages do.",
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
