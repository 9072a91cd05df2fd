import { AppError } from '../../shared/core/errors.ts';
import { parseBindingTemplate } from '../settings/binding-template.ts';
import { replaceSettings } from '../settings/host-json.ts';
import type { HostContext, HostExtension, OutputCall } from '../host-context.ts';
import type { NamedBinding } from '../worker/function-table.ts';
import { fromTypedData, type TypedData } from '../worker/typed-data.ts';
import { createStorageQueueClient } from './client.ts';

/** `queue` outputs: one message, or one per element of an array. There is no storage queue trigger. */
export const storageQueueExtension = {
  name: 'storageQueue',
  triggerTypes: [],
  outputTypes: ['queue'],
  start({ settings }: HostContext) {
    return Promise.resolve({
      async writeOutput(binding: NamedBinding, data: TypedData, call: OutputCall) {
        const client = createStorageQueueClient(requireConnection(binding, settings));
        const name = replaceSettings(String(binding['queueName']), settings, []);
        const queue = parseBindingTemplate(name).write(call.bindingData);
        const value = fromTypedData(data);
        for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value])
          await client.send(queue, Buffer.from(toText(item)).toString('base64'));
      },
      stop: () => Promise.resolve(),
    });
  },
} satisfies HostExtension;

function toText(value: unknown): string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value);
}

/** Reads the connection string of a binding. @throws AppError INVALID_ARGUMENT naming the missing setting */
export function requireConnection(binding: NamedBinding, settings: Readonly<Record<string, string>>): string {
  const name = connectionName(binding);
  const connectionString = settings[name];
  if (connectionString === undefined)
    throw new AppError(
      'INVALID_ARGUMENT',
      `The app setting "${name}" of binding "${binding.name}" is not set.`,
    );
  return connectionString;
}

export function connectionName(binding: NamedBinding): string {
  return (binding['connection'] as string | undefined) || 'AzureWebJobsStorage';
}
