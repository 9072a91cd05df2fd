import type { ArtifactStore } from '../../../domains/artifacts/artifact-store.ts';
import { guessContentType } from '../../../domains/artifacts/content-type.ts';
import { isAppError } from '../../../core/errors.ts';
import type { Reply, RouteRequest } from '../../http/route.ts';
import type { BlobProperties, OpenedBlob } from '../../../platform/storage/blobs.ts';

type Request = Pick<RouteRequest<unknown, unknown, unknown>, 'headers'>;
type ByteRange = { readonly offset: number; readonly count: number };

/**
 * Answers with a file as a download, which browsers never display. Supports If-None-Match, If-Range and single ranges;
 * answers several ranges with the whole file, as RFC 9110 allows.
 *
 * @throws NOT_FOUND; INVALID_ARGUMENT for a folder
 */
export async function sendArtifact(artifacts: ArtifactStore, path: string, request: Request): Promise<Reply> {
  const { headers } = request;
  if (headers.get('range') === null && headers.get('if-none-match') === null)
    return sendWhole(path, await artifacts.open(path));

  const found = await artifacts.find(path);
  if (found === undefined) throw await artifacts.explainMissing(path);
  if (matchesAny(headers.get('if-none-match'), found.etag))
    return { status: 304, headers: describe(path, found), text: '' };
  const range = isRangeWanted(headers.get('if-range'), found.etag)
    ? readRange(headers.get('range'), found.sizeBytes)
    : undefined;
  if (range === 'unsatisfiable') return refuseRange(found.sizeBytes);
  try {
    const opened = await artifacts.open(path, {
      ifMatch: found.etag,
      ...(range === undefined ? {} : { range }),
    });
    return range === undefined ? sendWhole(path, opened) : sendPart(path, opened, range);
  } catch (error) {
    // The file changed concurrently: answer with all of the new one.
    if (!isAppError(error, 'PRECONDITION_FAILED')) throw error;
    return sendWhole(path, await artifacts.open(path));
  }
}

function sendWhole(path: string, { properties, body }: OpenedBlob): Reply {
  return {
    headers: { ...describe(path, properties), 'content-length': String(properties.sizeBytes) },
    stream: body,
  };
}

function sendPart(path: string, { properties, body }: OpenedBlob, { offset, count }: ByteRange): Reply {
  return {
    status: 206,
    headers: {
      ...describe(path, properties),
      'content-length': String(count),
      'content-range': `bytes ${offset}-${offset + count - 1}/${properties.sizeBytes}`,
    },
    stream: body,
  };
}

function describe(path: string, { etag, lastModified }: BlobProperties): Record<string, string> {
  return {
    'content-type': guessContentType(path),
    'content-disposition': toDisposition(path.slice(path.lastIndexOf('/') + 1)),
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    etag,
    'last-modified': new Date(lastModified).toUTCString(),
  };
}

function refuseRange(sizeBytes: number): Reply {
  const message = `The range begins after the end of the file, which has ${sizeBytes} bytes.`;
  return {
    status: 416,
    headers: { 'content-range': `bytes */${sizeBytes}`, 'content-type': 'application/json' },
    json: { error_code: 'INVALID_PARAMETER_VALUE', message },
  };
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 (the comparison is weak) */
function matchesAny(condition: string | null, etag: string): boolean {
  if (condition === null) return false;
  const tags = condition.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

/** A date never identifies a version exactly. */
function isRangeWanted(ifRange: string | null, etag: string): boolean {
  return ifRange === null || ifRange.trim() === etag;
}

/**
 * @returns undefined for anything but a single byte range, which is ignored
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function readRange(header: string | null, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const parts = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  if (parts[1] === '') {
    const count = Math.min(Number(parts[2]), sizeBytes);
    return count === 0 ? 'unsatisfiable' : { offset: sizeBytes - count, count };
  }
  const offset = Number(parts[1]);
  const last = parts[2] === '' ? Infinity : Number(parts[2]);
  if (last < offset) return undefined;
  if (offset >= sizeBytes) return 'unsatisfiable';
  return { offset, count: Math.min(last, sizeBytes - 1) - offset + 1 };
}

/**
 * The Content-Disposition of a download: the name itself if a header can contain it, otherwise an ASCII fallback and the
 * full name.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6266
 */
export function toDisposition(name: string): string {
  const ascii = name.normalize('NFKD').replaceAll(/[^\x20-\x7e]/g, '') || 'download';
  const isToken = /^[\w!#$%&'*+\-.^`|~]+$/.test(ascii);
  const plain = isToken ? ascii : `"${ascii.replaceAll(/["\\]/g, '\\$&')}"`;
  if (ascii === name) return `attachment; filename=${plain}`;
  const full = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename=${plain}; filename*=UTF-8''${full}`;
}
