import { z } from 'zod';
import {
  baseName,
  joinPath,
  readFilePath,
  readFolderPath,
} from '../../../domains/artifacts/artifact-path.ts';
import type { SignedAccess } from '../../../domains/artifacts/signed-access.ts';
import type { Route } from '../../http/route.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, repeated, requiredText, text } from '../messages/message.ts';

/** `mlflow-artifacts/mpu/…` and `…/presigned/…`: direct transfers between clients and the storage account. */
export function multipartEndpoints(access: SignedAccess): readonly Route[] {
  const upload = { folder: text().default(''), path: requiredText() };
  return [
    ...defineEndpoint({
      methods: ['POST'],
      path: 'mlflow-artifacts/mpu/create/{*folder}',
      summary: 'Starts a multipart upload.',
      role: 'contributor',
      message: z.object({ ...upload, num_parts: int64().default(1) }),
      handle: async (message) => {
        const { uploadId, urls } = await access.startUpload(toFilePath(message), message.num_parts);
        const credentials = urls.map((url, index) => ({ url, part_number: index + 1, headers: {} }));
        return { upload_id: uploadId, credentials };
      },
    }),
    ...defineEndpoint({
      methods: ['POST'],
      path: 'mlflow-artifacts/mpu/complete/{*folder}',
      summary: 'Assembles the file from the uploaded parts.',
      role: 'contributor',
      message: z.object({
        ...upload,
        upload_id: requiredText(),
        parts: repeated(z.object({ part_number: int64() })),
      }),
      handle: async (message) => {
        const numbers = message.parts.map((part) => part.part_number);
        await access.completeUpload(toFilePath(message), message.upload_id, numbers);
        return {};
      },
    }),
    ...defineEndpoint({
      methods: ['POST'],
      path: 'mlflow-artifacts/mpu/abort/{*folder}',
      summary: 'Aborts an upload; the storage account deletes its parts after a week.',
      role: 'contributor',
      message: z.object({ ...upload, upload_id: text().optional() }),
      handle: async (message) => {
        toFilePath(message);
        return {};
      },
    }),
    ...defineEndpoint({
      methods: ['GET'],
      path: 'mlflow-artifacts/presigned/{*path}',
      summary: 'Signs a URL that downloads a file, or ranges of it, for an hour.',
      role: 'reader',
      message: z.object({ path: text() }),
      handle: async (message) => {
        const { url, sizeBytes } = await access.signDownload(readFilePath(message.path));
        return { url, headers: {}, file_size: sizeBytes };
      },
    }),
  ];
}

/** The folder is in the address; only the base name of the client's path counts. */
function toFilePath(message: { readonly folder: string; readonly path: string }): string {
  return readFilePath(joinPath(readFolderPath(message.folder), baseName(message.path)));
}
