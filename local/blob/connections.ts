import { BlobServiceClient } from '@azure/storage-blob';
import { parseBindingTemplate, type BindingTemplate } from '../settings/binding-template.ts';
import { replaceSettings } from '../settings/host-json.ts';
import type { AppSettings } from '../settings/app-settings.ts';
import type { NamedBinding } from '../worker/function-table.ts';

/** A binding's `path`, split at its first slash. */
export interface BlobBindingPath {
  readonly container: string;
  readonly template: BindingTemplate | undefined;
}

/** @throws AppError INVALID_ARGUMENT for a malformed template; missing app settings are added to `problems` */
export function readBlobPath(
  binding: NamedBinding,
  settings: AppSettings,
  problems: string[] = [],
): BlobBindingPath {
  const path = replaceSettings(String(binding['path']), settings, problems);
  const slash = path.indexOf('/');
  if (slash === -1) return { container: path, template: undefined };
  return { container: path.slice(0, slash), template: parseBindingTemplate(path.slice(slash + 1)) };
}

/** A client with few retries, because the host retries as well. */
export function connectBlobs(connectionString: string): BlobServiceClient {
  return BlobServiceClient.fromConnectionString(connectionString, {
    retryOptions: { maxTries: 2, tryTimeoutInMs: 30_000, retryDelayInMs: 100 },
  });
}
