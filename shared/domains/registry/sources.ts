import { blobContainers } from '../../core/names.ts';
import type { BlobRef } from '../../platform/storage/blobs.ts';
import { checkUri, invalid } from './rules.ts';

/** What the tracking side knows, asked for when a version is registered from it. */
export interface TrackingLookup {
  /** @returns undefined when there is no such run */
  findRun(runId: string): Promise<SourceRun | undefined>;
  /** @returns undefined when there is no such logged model */
  findLoggedModel(modelId: string): Promise<SourceModel | undefined>;
  /** Tells a logged model that it was registered; the same again changes nothing. */
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

/** What a prompt's version has in place of a source: it has none. */
export const promptSources: ReadonlySet<string> = new Set(['dummy-source', 'prompt-template']);

/**
 * Refuses paths of some machine, and paths that leave their root once every escape in them is resolved.
 *
 * @throws INVALID_ARGUMENT in the words of MLflow's server
 */
export function checkSource(source: string): void {
  checkUri('source', source);
  const scheme = schemeOf(source);
  if (scheme === 'file' && /^file:\/\/(?!localhost|127\.0\.0\.1|\.?\/)[^/]+/i.test(source))
    throw invalid(`${source} is not a valid remote uri. Upload the model as an artifact and name that.`);
  if (scheme === undefined || scheme === 'file' || scheme.length === 1)
    throw invalid(
      `Invalid model version source: '${source}'. To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.`,
    );
  const plain = unquoteAll(source);
  const path = pathOf(plain).replace(/\/+$/, '');
  const segments = plain.split('/');
  const isRelative =
    path.includes('\0') ||
    segments.includes('..') ||
    !path.startsWith('/') ||
    path.split('/').some((part) => part === '.' || part === '..');
  if (isRelative)
    throw invalid(
      `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.`,
    );
}

/** @returns undefined for what is no `models:/` URI. @throws INVALID_ARGUMENT when it is one and is not right */
export function parseModelUri(uri: string): ModelUri | undefined {
  if (schemeOf(uri) !== 'models') return undefined;
  const parts = pathOf(uri).replace(/^\/+/, '').split('/');
  const [name = '', suffix] = parts;
  if (parts.length > 2 || name.trim() === '' || suffix?.trim() === '' || /^models:\/\/[^/]/i.test(uri))
    throw invalid(
      `Invalid model version source: '${uri}'. A models:/ URI is 'models:/name/version', 'models:/name@alias' or 'models:/<model id>'.`,
    );
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

/** `runs:/<run id>/<path>`. @returns undefined for what is none */
export function parseRunUri(uri: string): { readonly runId: string; readonly path: string } | undefined {
  const match = /^runs:\/([^/]+)\/(.+)$/.exec(uri);
  return match ? { runId: match[1]!, path: match[2]! } : undefined;
}

/** Where the files of a source are in our own storage; undefined when they are elsewhere. */
export function artifactFolder(uri: string): BlobRef | undefined {
  if (schemeOf(uri) !== 'mlflow-artifacts') return undefined;
  const name = unquoteAll(pathOf(uri))
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  return name === '' ? undefined : { container: blobContainers.artifacts, name };
}

function schemeOf(uri: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
}

/** Without scheme, authority, query and fragment. */
function pathOf(uri: string): string {
  return uri
    .replace(/^[a-z][a-z0-9+.-]*:/i, '')
    .replace(/^\/\/[^/?#]*/, '')
    .replace(/[?#].*$/s, '');
}

/** Each turn makes the text shorter, and sources are short. */
function unquoteAll(text: string): string {
  for (;;) {
    const plain = text
      .replaceAll('+', ' ')
      .replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
    if (plain === text) return text;
    text = plain;
  }
}
