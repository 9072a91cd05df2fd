import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../core/errors.ts';
import type { BlobReader } from '../../platform/storage/blobs.ts';
import type { Scratch, ScratchFile } from '../../platform/storage/scratch.ts';
import { createScratchFolders, makeScratchFolder, translateDiskError } from './scratch-folders.ts';

/** Creates scratch files in the system's temporary folder, each in its own folder. */
export function createScratch(blobs: BlobReader): Scratch {
  return {
    ...createScratchFolders(),
    async download(ref, { maxBytes, ifMatch, signal, beside }) {
      const path = beside
        ? placeBeside(beside.file, beside.path)
        : join(await makeScratchFolder(), safeName(ref.name));
      const remove = async () => {
        if (!beside) await rm(dirname(path), { recursive: true, force: true });
      };
      try {
        if (beside) await mkdir(dirname(path), { recursive: true });
        // Check the size before opening, because an opened body must be read.
        const known = await blobs.head(ref);
        const isWanted = known !== undefined && (ifMatch === undefined || known.etag === ifMatch);
        if (isWanted && known.sizeBytes > maxBytes) throw tooLarge(known.sizeBytes, maxBytes);
        const blob = await blobs.open(ref, {
          ...(ifMatch ? { ifMatch } : {}),
          ...(signal ? { signal } : {}),
        });
        const hash = createHash('sha256');
        let sizeBytes = 0;
        await pipeline(
          blob.body,
          async function* (chunks: AsyncIterable<Uint8Array>) {
            for await (const chunk of chunks) {
              hash.update(chunk);
              sizeBytes += chunk.length;
              if (sizeBytes > maxBytes) throw tooLarge(blob.properties.sizeBytes, maxBytes);
              yield chunk;
            }
          },
          createWriteStream(path, { flags: 'wx' }),
          signal ? { signal } : {},
        );
        return { path, sizeBytes, sha256: hash.digest('hex'), [Symbol.asyncDispose]: remove };
      } catch (error) {
        await remove();
        signal?.throwIfAborted();
        throw translateDiskError(error);
      }
    },
  };
}

/** Whether a scratch file still exists: the system may clean up its temporary folder. */
export async function fileExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** @throws INVALID_ARGUMENT for a path that leaves the file's folder */
function placeBeside(file: ScratchFile, path: string): string {
  const folder = dirname(file.path);
  const place = join(folder, path);
  const inside = relative(folder, place);
  if (isAbsolute(path) || isAbsolute(inside) || inside === '' || inside.split(sep)[0] === '..')
    throw new AppError('INVALID_ARGUMENT', `"${path}" is outside the folder of the scratch file.`);
  return place;
}

function safeName(name: string): string {
  return (
    basename(name)
      .replaceAll(/[^\w.-]/g, '_')
      .slice(-100) || 'file'
  );
}

function tooLarge(sizeBytes: number, maxBytes: number): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `The file has ${sizeBytes} bytes; the limit is ${maxBytes}. Raise SLIPWAY_LANDING_FILE_BYTES to accept it.`,
    { sizeBytes, maxBytes },
  );
}
