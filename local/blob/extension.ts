import type { HostContext, HostExtension, OutputCall } from '../host-context.ts';
import { connectionName, requireConnection } from '../storage-queue/extension.ts';
import type { AppSettings } from '../settings/app-settings.ts';
import type { FunctionEntry, NamedBinding } from '../worker/function-table.ts';
import { fromTypedData, type TypedData } from '../worker/typed-data.ts';
import { Semaphore } from '../../shared/core/async/semaphore.ts';
import { connectBlobs, readBlobPath } from './connections.ts';
import { createBlobPoller, type BlobPoller } from './poller.ts';
import { createBlobReceipts } from './receipts.ts';
import { ContainerScanner, type BlobSubscription } from './scanner.ts';

const containerPattern = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$|^\$(root|web)$/;

/** Blob triggers, by polling, and `blob` outputs. */
export const blobExtension = {
  name: 'blobs',
  triggerTypes: ['blobTrigger'],
  outputTypes: ['blob'],
  check({ trigger }: FunctionEntry, settings: AppSettings) {
    if (trigger['source'] === 'EventGrid')
      return ['"source" must be "LogsAndContainerScan" or absent: the local host polls'];
    const problems: string[] = [];
    try {
      const { container } = readBlobPath(trigger, settings, problems);
      if (/[{}]/.test(container)) problems.push('the container of a blob trigger must not be a parameter');
      else if (problems.length === 0 && !containerPattern.test(container))
        problems.push(`"${container}" is not a valid container name`);
    } catch (error) {
      problems.push((error as Error).message);
    }
    if (settings[connectionName(trigger)] === undefined)
      problems.push(`the app setting "${connectionName(trigger)}" is not set`);
    return problems;
  },
  start(context: HostContext, functions: readonly FunctionEntry[]) {
    const pollers = groupByContainer(context, functions);
    return Promise.resolve({
      begin: () => pollers.forEach((poller) => poller.begin()),
      async stop() {
        await Promise.all(pollers.map((poller) => poller.stop()));
      },
      writeOutput: (binding: NamedBinding, data: TypedData, call: OutputCall) =>
        writeBlob(context.settings, binding, data, call),
    });
  },
} satisfies HostExtension;

/** Creates one poller per container, which serves all functions on it. */
function groupByContainer(context: HostContext, functions: readonly FunctionEntry[]): readonly BlobPoller[] {
  const receipts = createBlobReceipts(context.db);
  const groups = new Map<string, BlobSubscription[]>();
  for (const fn of functions) {
    const { container, template } = readBlobPath(fn.trigger, context.settings);
    const key = `${connectionName(fn.trigger)}/${container}`;
    groups.set(key, [...(groups.get(key) ?? []), { fn, container, template }]);
  }
  const calls = new Semaphore(context.hostJson.blobs.maxDegreeOfParallelism);
  return [...groups.values()].map((subscriptions) => {
    const [{ fn, container }] = subscriptions as [BlobSubscription];
    const service = connectBlobs(requireConnection(fn.trigger, context.settings));
    const client = service.getContainerClient(container);
    const scanner = new ContainerScanner(client, subscriptions, receipts);
    return createBlobPoller({ ...context, client, scanner, receipts, calls });
  });
}

async function writeBlob(
  settings: AppSettings,
  binding: NamedBinding,
  data: TypedData,
  call: OutputCall,
): Promise<void> {
  const { container, template } = readBlobPath(binding, settings);
  const values = { ...call.bindingData, 'rand-guid': call.invocationId };
  const name = template?.write(values);
  if (name === undefined) throw new Error(`The path of output binding "${binding.name}" has no blob name.`);
  const value = fromTypedData(data);
  const body =
    value instanceof Uint8Array
      ? Buffer.from(value)
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
  const client = connectBlobs(requireConnection(binding, settings)).getContainerClient(container);
  await client.createIfNotExists();
  await client.getBlockBlobClient(name).upload(body, Buffer.byteLength(body));
}
