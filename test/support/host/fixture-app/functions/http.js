import { app, output } from '@azure/functions';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { record } from './record.js';

const echo = async (request) => ({
  jsonBody: {
    method: request.method,
    url: request.url,
    params: request.params,
    query: Object.fromEntries(request.query),
    header: request.headers.get('x-probe'),
    body: await request.text(),
  },
});
const anonymous = { authLevel: 'anonymous' };

app.http('echo', { ...anonymous, methods: ['GET', 'POST'], route: 'echo', handler: echo });
app.http('with-number', { ...anonymous, methods: ['GET'], route: 'items/{id:int}', handler: echo });
app.http('with-option', { ...anonymous, methods: ['GET'], route: 'pages/{page?}', handler: echo });
app.http('with-rest', { ...anonymous, methods: ['GET', 'HEAD'], route: 'files/{*path}', handler: echo });
app.http('no-route', { ...anonymous, handler: () => ({ status: 200, body: 'found by name' }) });
app.http('fn-level', { authLevel: 'function', route: 'keys/function', handler: () => ({ body: 'ok' }) });
app.http('admin-level', { authLevel: 'admin', route: 'keys/admin', handler: () => ({ body: 'ok' }) });
app.http('fails', {
  ...anonymous,
  route: 'fails',
  handler: () => {
    throw new Error('secret detail');
  },
});
app.http('nothing', { ...anonymous, route: 'nothing-back', handler: () => undefined });
app.http('cookies', {
  ...anonymous,
  route: 'cookies',
  handler: () => ({
    status: 201,
    headers: { 'x-own': 'yes' },
    cookies: [
      { name: 'a', value: '1', path: '/', httpOnly: true, sameSite: 'Strict', maxAge: 60 },
      { name: 'b', value: 'two words' },
    ],
  }),
});
app.http('slow', {
  ...anonymous,
  route: 'slow/{ms:int}',
  handler: async (request) => {
    record('slow', {});
    await sleep(Number(request.params.ms));
    while (existsSync(process.env.FIXTURE_HOLD)) await sleep(20);
    return { body: 'late' };
  },
});

const toQueue = output.serviceBusQueue({ queueName: 'out', connection: 'ServiceBus' });
const toBlob = output.storageBlob({ path: 'out/{name}.json', connection: 'AzureWebJobsStorage' });
const toStorageQueue = output.storageQueue({ queueName: 'out-queue', connection: 'AzureWebJobsStorage' });
app.storageBlob('copier', {
  path: 'inbox/{name}.txt',
  connection: 'AzureWebJobsStorage',
  extraOutputs: [toBlob, toStorageQueue],
  return: toQueue,
  handler: (blob, context) => {
    context.extraOutputs.set(toBlob, { text: blob.toString() });
    context.extraOutputs.set(toStorageQueue, 'hello queue');
    return { copied: context.triggerMetadata.name };
  },
});
app.http('fan', {
  ...anonymous,
  methods: ['POST'],
  route: 'fan',
  extraOutputs: [toQueue],
  handler: async (request, context) => {
    context.extraOutputs.set(toQueue, await request.json());
    return { status: 202 };
  },
});
app.serviceBusQueue('out-reader', {
  queueName: 'out',
  connection: 'ServiceBus',
  handler: (message, context) => record('out-reader', { message, metadata: context.triggerMetadata }),
});
