import { artifactScheme } from '../../core/names/mlflow-names.ts';
import { blobContainers } from '../../core/names/resources.ts';
import type { BlobRef } from '../../platform/storage/blobs.ts';
import { registryErrors } from './errors.ts';
import { checkField } from './rules.ts';

/** What a registration reads from tracking, and reports to it. */
export interface TrackingLookup {
  /** @returns undefined when there is no such run */
  findRun(runId: string): Promise<SourceRun | undefined>;
  /** @returns undefined when there is no such logged model */
  findLoggedModel(modelId: string): Promise<SourceModel | undefined>;
  /** Records on a logged model that it was registered. Idempotent. */
  noteVersion(modelId: string, model: string, version: number, by: string): Promise<void>;
}

export interface SourceRun {
  readonly artifactUri: string;
  readonly codeVersion?: string;
  readonly inputs: readonly { readonly name: string; readonly digest: string }[];
}

export interface SourceModel {
  readonly artifactLocation: string;
  readonly sourceRunId?: string;
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
}

/** `models:/…`: a logged model, or a version of a registered one. */
export type ModelUri =
  | { readonly kind: 'loggedModel'; readonly modelId: string }
  | { readonly kind: 'version'; readonly model: string; readonly version: number }
  | { readonly kind: 'latest'; readonly model: string }
  | { readonly kind: 'stage'; readonly model: string; readonly stage: string }
  | { readonly kind: 'alias'; readonly model: string; readonly alias: string };

/**
 * Refuses local paths, and paths that leave their root when all percent-encodings are decoded.
 *
 * @throws INVALID_ARGUMENT
 */
export function checkSource(source: string): void {
  checkField('source', source);
  const scheme = schemeOf(source);
  if (scheme === 'file' && /^file:\/\/(?!localhost|127\.0\.0\.1|\.?\/)[^/]+/i.test(source))
    throw registryErrors.sourceHasHost({ source });
  if (scheme === undefined || scheme === 'file' || scheme.length === 1)
    throw registryErrors.sourceIsLocal({ source });
  const plain = unquoteAll(source);
  const path = pathOf(plain).replace(/\/+$/, '');
  const segments = plain.split('/');
  const isRelative =
    path.includes('\0') ||
    segments.includes('..') ||
    !path.startsWith('/') ||
    path.split('/').some((part) => part === '.' || part === '..');
  if (isRelative) throw registryErrors.sourceIsRelative({ source });
}

/** @returns undefined for other schemes. @throws INVALID_ARGUMENT for an invalid `models:/` URI */
export function parseModelUri(uri: string): ModelUri | undefined {
  if (schemeOf(uri) !== 'models') return undefined;
  const parts = pathOf(uri).replace(/^\/+/, '').split('/');
  const [name = '', suffix] = parts;
  if (parts.length > 2 || name.trim() === '' || suffix?.trim() === '' || /^models:\/\/[^/]/i.test(uri))
    throw registryErrors.modelUriInvalid({ source: uri });
  if (suffix !== undefined) {
    if (/^\d+$/.test(suffix)) return { kind: 'version', model: name, version: Number(suffix) };
    if (suffix.toLowerCase() === 'latest') return { kind: 'latest', model: name };
    return { kind: 'stage', model: name, stage: suffix };
  }
  const at = name.lastIndexOf('@');
  if (at > 0 && at < name.length - 1)
    return { kind: 'alias', model: name.slice(0, at), alias: name.slice(at + 1) };
  return { kind: 'loggedModel', modelId: name };
}

/** Parses `runs:/<run id>/<path>`. @returns undefined for other URIs */
export function parseRunUri(uri: string): { readonly runId: string; readonly path: string } | undefined {
  const match = /^runs:\/([^/]+)\/(.+)$/.exec(uri);
  return match ? { runId: match[1]!, path: match[2]! } : undefined;
}

/** The place of a source's files in the platform's storage; undefined when they are elsewhere. */
export function artifactFolder(uri: string): BlobRef | undefined {
  if (schemeOf(uri) !== artifactScheme) return undefined;
  const name = unquoteAll(pathOf(uri))
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  return name === '' ? undefined : { container: blobContainers.artifacts, name };
}

function schemeOf(uri: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
}

/** The path of a URI, without scheme, authority, query and fragment. */
function pathOf(uri: string): string {
  return uri
    .replace(/^[a-z][a-z0-9+.-]*:/i, '')
    .replace(/^\/\/[^/?#]*/, '')
    .replace(/[?#].*$/s, '');
}

/** Decodes repeatedly; each pass shortens the text, and sources are short. */
function unquoteAll(text: string): string {
  for (;;) {
    const plain = text
      .replaceAll('+', ' ')
      .replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
    if (plain === text) return text;
    text = plain;
  }
}
