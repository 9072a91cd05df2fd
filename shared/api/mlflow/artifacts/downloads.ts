import { readFilePath } from '../../../domains/artifacts/artifact-path.ts';
import { AppError } from '../../../core/errors.ts';
import type { Route } from '../../http/route.ts';
import { sendArtifact } from './reply.ts';
import { type ArtifactServices, defineFileRoute, locate, requireRun } from './routes.ts';

/** `/get-artifact` and `/model-versions/get-artifact`, which are outside the prefixes of MLflow's API. */
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
