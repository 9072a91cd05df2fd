import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { app } from '@azure/functions';
import { record } from './record.js';

// The copy that @azure/functions loads; an import would create a second one.
const { ResourceFactoryResolver } = createRequire(import.meta.url)('@azure/functions-extensions-base');

ResourceFactoryResolver.getInstance().registerResourceFactory('AzureStorageBlobs', (data) => ({
  ...data,
  content: JSON.parse(Buffer.from(data.content).toString()),
}));

const storage = { connection: 'AzureWebJobsStorage' };

app.storageBlob('blob', {
  ...storage,
  path: '%FIXTURE_CONTAINER%/{dataset}/{file}.csv',
  handler: (blob, context) => record('blob', { text: blob.toString(), metadata: context.triggerMetadata }),
});
app.storageBlob('deferred', {
  ...storage,
  path: 'deferred/{name}',
  sdkBinding: true,
  handler: (reference, context) => record('deferred', { reference, metadata: context.triggerMetadata }),
});
app.storageBlob('poisoned', {
  ...storage,
  path: 'poisoned/{name}',
  sdkBinding: true,
  handler: (reference) => {
    record('poisoned', { blob: reference.content.BlobName });
    throw new Error('never works');
  },
});
app.storageBlob('slow-blob', {
  ...storage,
  path: 'slow/{name}',
  sdkBinding: true,
  handler: async (reference) => {
    record('slow-blob-begin', { blob: reference.content.BlobName });
    while (process.env.FIXTURE_HOLD && existsSync(process.env.FIXTURE_HOLD)) await sleep(20);
    record('slow-blob-end', { blob: reference.content.BlobName });
  },
});

app.timer('hourly', {
  schedule: '%FIXTURE_SCHEDULE%',
  handler: async (timer) => record('hourly', { timer }),
});

app.serviceBusQueue('single', {
  queueName: 'single',
  connection: 'ServiceBus',
  handler: async (message, context) => {
    record('single', { message, metadata: context.triggerMetadata });
    while (message.hold && existsSync(process.env.FIXTURE_HOLD)) await sleep(20);
    if (message.fail) throw new Error('refused');
  },
});
app.serviceBusTopic('batch', {
  topicName: 'events',
  subscriptionName: 'fixture',
  connection: 'ServiceBus',
  cardinality: 'many',
  handler: (messages, context) => record('batch', { messages, metadata: context.triggerMetadata }),
});
