import type { BlobGetPropertiesResponse, BlobItem } from '@azure/storage-blob';
import { jsonData, type TypedData } from '../worker/typed-data.ts';

/** A blob and the version that was listed. */
export interface SeenBlob {
  readonly container: string;
  readonly name: string;
  readonly etag: string;
}

/** Whether a blob trigger receives the reference instead of the bytes (`sdkBinding: true`). */
export function isDeferred(binding: { readonly properties?: Readonly<Record<string, string>> }): boolean {
  return binding.properties?.['supportsDeferredBinding'] === 'true';
}

/**
 * The reference on the wire: `Connection` is the *name* of the app setting.
 *
 * @see https://github.com/Azure/azure-sdk-for-net BlobsExtensionConfigProvider.CreateParameterBindingData
 */
export function toDeferredData(connection: string, blob: SeenBlob): TypedData {
  const content = { Connection: connection, ContainerName: blob.container, BlobName: blob.name };
  return {
    modelBindingData: {
      version: '1.0',
      source: 'AzureStorageBlobs',
      contentType: 'application/json',
      content: Buffer.from(JSON.stringify(content)),
    },
  };
}

/** The metadata of a blob trigger: the built-in values, overridden by those of the path. */
export function toBlobMetadata(
  blob: SeenBlob,
  uri: string,
  properties: BlobGetPropertiesResponse,
  fromPath: Readonly<Record<string, string>>,
): Readonly<Record<string, TypedData>> {
  return {
    BlobTrigger: { string: `${blob.container}/${blob.name}` },
    Uri: jsonData(uri),
    Properties: jsonData({
      LastModified: toOffset(properties.lastModified),
      CreatedOn: toOffset(properties.createdOn),
      Metadata: properties.metadata ?? {},
      ContentLength: properties.contentLength,
      ContentType: properties.contentType,
      ContentEncoding: properties.contentEncoding,
      ETag: properties.etag,
    }),
    Metadata: jsonData(properties.metadata ?? {}),
    ...Object.fromEntries(Object.entries(fromPath).map(([name, value]) => [name, { string: value }])),
  };
}

/** The message in `webjobs-blobtrigger-poison` for a blob that failed for good. */
export function toPoisonMessage(fn: string, blob: SeenBlob): string {
  return JSON.stringify({
    Type: 'BlobTrigger',
    FunctionId: `Host.Functions.${fn}`,
    BlobType: 'BlockBlob',
    ContainerName: blob.container,
    BlobName: blob.name,
    ETag: blob.etag,
  });
}

/** ETags are quoted in headers and bare in listings. */
export function quoteEtag(item: BlobItem): string {
  const { etag } = item.properties;
  return etag.startsWith('"') ? etag : `"${etag}"`;
}

function toOffset(date: Date | undefined): string | undefined {
  return date?.toISOString().replace(/\.000Z$|Z$/, '+00:00');
}
