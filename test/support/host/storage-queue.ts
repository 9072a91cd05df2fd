import { createHmac } from 'node:crypto';

/**
 * The part of the queue REST API that the tests need, signed with the shared key.
 *
 * @see https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */
export function createQueueClient(connectionString: string) {
  const settings = new Map(
    connectionString
      .split(';')
      .filter((part) => part !== '')
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const),
  );
  const endpoint = settings.get('QueueEndpoint') ?? '';
  const account = settings.get('AccountName') ?? '';
  const key = Buffer.from(settings.get('AccountKey') ?? '', 'base64');

  const send = async (method: string, path: string, body = ''): Promise<string> => {
    const url = new URL(`${endpoint}/${path}`);
    const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2021-12-02' };
    const query = [...url.searchParams].map(([name, value]) => `\n${name}:${value}`).join('');
    const length = body === '' ? '' : String(Buffer.byteLength(body));
    const toSign = [
      method,
      `\n\n${length}\n\n${body === '' ? '' : 'text/plain'}\n\n\n\n\n\n`,
      ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
      `/${account}${url.pathname}${query}`,
    ].join('\n');
    const signature = createHmac('sha256', key).update(toSign).digest('base64');
    const response = await fetch(url, {
      method,
      headers: {
        ...headers,
        Authorization: `SharedKey ${account}:${signature}`,
        ...(body === '' ? {} : { 'Content-Type': 'text/plain' }),
      },
      ...(body === '' ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text;
  };

  return {
    create: (queue: string) => send('PUT', queue),
    put: (queue: string, text: string) =>
      send(
        'POST',
        `${queue}/messages`,
        `<QueueMessage><MessageText>${Buffer.from(text).toString('base64')}</MessageText></QueueMessage>`,
      ),
    /** Reads up to 32 messages and hides them for half a minute. */
    async receive(queue: string): Promise<readonly string[]> {
      const answer = await send('GET', `${queue}/messages?numofmessages=32`);
      return [...answer.matchAll(/<MessageText>(.*?)<\/MessageText>/g)].map(([, text = '']) =>
        Buffer.from(text, 'base64').toString(),
      );
    },
  };
}
