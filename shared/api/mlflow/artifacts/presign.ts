import { z } from 'zod';
import { readFilePath } from '../../../domains/artifacts/artifact-path.ts';
import { AppError } from '../../../core/errors.ts';
import type { Route } from '../../http/route.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, requiredText, text } from '../messages/message.ts';
import { type ArtifactServices, locate } from './routes.ts';

const maxLifetimeSeconds = 604_800;

/** Signs URLs for the artifacts of a run or a logged model. */
export function presignEndpoints({ signedAccess, artifactLocations }: ArtifactServices): readonly Route[] {
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
      summary: 'Signs a URL that uploads a file to a run or a logged model.',
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
      summary: 'Signs a URL that downloads a file of a run.',
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
