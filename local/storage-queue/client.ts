import { createHmac } from 'node:crypto';
import { AppError } from '../../shared/core/errors.ts';

/** The part of the Queue service that the host needs. */
export interface StorageQueueClient {
  /** Adds a message and creates a missing queue. @throws AppError UNAVAILABLE with the service's status */
  send(queue: string, text: string): Promise<void>;
}

const apiVersion = '2021-12-02';
const timeoutMs = 30_000;

/**
 * A client for Azure Storage queues with Shared Key, for poison messages and `queue` outputs only.
 *
 * @throws AppError INVALID_ARGUMENT when the connection string has no account, key or queue endpoint
 * @see https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */
export function createStorageQueueClient(connectionString: string): StorageQueueClient {
  const { account, key, endpoint } = readConnectionString(connectionString);

  async function call(method: 'PUT' | 'POST', path: string, body: string): Promise<number> {
    const url = new URL(`${endpoint}/${path}`);
    const date = new Date().toUTCString();
    // The string to sign: verb, eleven standard headers (all empty but length and type), x-ms headers, resource.
    const [length, type] = body === '' ? ['', ''] : [String(Buffer.byteLength(body)), 'application/xml'];
    const standard = ['', '', length, '', type, '', '', '', '', '', ''];
    const own = [`x-ms-date:${date}`, `x-ms-version:${apiVersion}`];
    const text = [method, ...standard, ...own, `/${account}${url.pathname}`].join('\n');
    const signature = createHmac('sha256', key).update(text, 'utf8').digest('base64');
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `SharedKey ${account}:${signature}`,
        'x-ms-date': date,
        'x-ms-version': apiVersion,
        ...(body !== '' && { 'content-type': type }),
      },
      ...(body !== '' && { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.arrayBuffer();
    return response.status;
  }

  return {
    async send(queue, text) {
      const message = `<QueueMessage><MessageText>${escapeXml(text)}</MessageText></QueueMessage>`;
      let status: number;
      try {
        status = await call('POST', `${queue}/messages`, message);
        if (status === 404) {
          await call('PUT', queue, '');
          status = await call('POST', `${queue}/messages`, message);
        }
      } catch (error) {
        throw new AppError('UNAVAILABLE', `The storage queue "${queue}" is not available.`, { queue }, error);
      }
      if (status !== 201)
        throw new AppError('UNAVAILABLE', `The storage queue "${queue}" answered ${status}.`, {
          queue,
          status,
        });
    },
  };
}

const developmentStorage =
  'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;' +
  'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

function readConnectionString(connectionString: string) {
  const text = /^UseDevelopmentStorage=true;?$/i.test(connectionString.trim())
    ? developmentStorage
    : connectionString;
  const parts = new Map(
    text.split(';').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const;
    }),
  );
  const account = parts.get('AccountName');
  const key = parts.get('AccountKey');
  const protocol = parts.get('DefaultEndpointsProtocol') ?? 'https';
  const suffix = parts.get('EndpointSuffix') ?? 'core.windows.net';
  if (!account || !key)
    throw new AppError('INVALID_ARGUMENT', 'The storage connection string needs AccountName and AccountKey.');
  const endpoint = parts.get('QueueEndpoint') ?? `${protocol}://${account}.queue.${suffix}`;
  return { account, key: Buffer.from(key, 'base64'), endpoint: endpoint.replace(/\/$/, '') };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
