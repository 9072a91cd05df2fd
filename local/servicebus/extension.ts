import type { JsonValue } from '../../shared/core/json/json.ts';
import type { QueueSource } from '../../shared/platform/storage/queue.ts';
import { replaceSettings, textOf } from '../settings/host-json.ts';
import type { HostContext, HostExtension, OutputCall } from '../host-context.ts';
import type { AppSettings } from '../settings/app-settings.ts';
import type { FunctionEntry, NamedBinding } from '../worker/function-table.ts';
import { fromTypedData, type TypedData } from '../worker/typed-data.ts';
import { createReceiver, type Receiver } from './receiver.ts';

/** Service Bus queue and topic triggers and outputs, over the embedded queue. */
export const serviceBusExtension = {
  name: 'serviceBus',
  triggerTypes: ['serviceBusTrigger'],
  outputTypes: ['serviceBus'],
  check({ trigger }: FunctionEntry, settings: AppSettings) {
    const problems: string[] = [];
    for (const key of ['queueName', 'topicName', 'subscriptionName'])
      replaceSettings(textOf(trigger[key]), settings, problems);
    const isTopic = trigger['topicName'] !== undefined && trigger['subscriptionName'] !== undefined;
    if (trigger['queueName'] === undefined && !isTopic)
      problems.push('a Service Bus trigger needs queueName, or topicName and subscriptionName');
    if (trigger['isSessionsEnabled'] === true) problems.push('sessions are not emulated');
    if (trigger.properties?.['supportsDeferredBinding'] === 'true')
      problems.push('sdkBinding is not emulated for Service Bus');
    return problems;
  },
  async start(context: HostContext, functions: readonly FunctionEntry[]) {
    await declareEntities(context, functions);
    const receivers: readonly Receiver[] = functions.map((fn) =>
      createReceiver(context, fn, readSource(fn.trigger, context.settings)),
    );
    return {
      begin: () => receivers.forEach((receiver) => receiver.begin()),
      async stop() {
        await Promise.all(receivers.map((receiver) => receiver.stop()));
      },
      writeOutput: (binding: NamedBinding, data: TypedData, call: OutputCall) =>
        sendOutput(context, binding, data, call),
    };
  },
} satisfies HostExtension;

/** Declares the queues, topics and subscriptions that bindings name; in Azure, Bicep does. */
async function declareEntities(context: HostContext, functions: readonly FunctionEntry[]): Promise<void> {
  const queues = new Set<string>();
  const topics: Record<string, string[]> = {};
  for (const { trigger } of functions) {
    const source = readSource(trigger, context.settings);
    if ('queue' in source) queues.add(source.queue);
    else (topics[source.topic] ??= []).push(source.subscription);
  }
  for (const binding of context.functions.flatMap(({ outputs }) => outputs)) {
    if (binding.type !== 'serviceBus') continue;
    const { topic, name } = readDestination(binding, context.settings);
    if (!topic) queues.add(name);
    else topics[name] ??= [];
  }
  await context.queue.declare({ queues: [...queues], topics });
  // This host has its data to itself, so no lock has a living holder.
  await context.queue.releaseLocks();
}

function readSource(trigger: NamedBinding, settings: AppSettings): QueueSource {
  const read = (key: string): string => replaceSettings(String(trigger[key]), settings, []);
  if (trigger['queueName'] !== undefined) return { queue: read('queueName') };
  return { topic: read('topicName'), subscription: read('subscriptionName') };
}

function readDestination(
  binding: NamedBinding,
  settings: AppSettings,
): { readonly topic: boolean; readonly name: string } {
  const topic = binding['topicName'] !== undefined;
  return { topic, name: replaceSettings(String(binding[topic ? 'topicName' : 'queueName']), settings, []) };
}

/** Sends one message, or one per element of an array, with ids derived from the call. */
async function sendOutput(
  context: HostContext,
  binding: NamedBinding,
  data: TypedData,
  call: OutputCall,
): Promise<void> {
  const value = fromTypedData(data);
  const bodies = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  const messages = bodies.map((body, index) => ({
    id: `${call.invocationId}-${binding.name}-${index}`.slice(0, 128),
    body: toBody(body),
  }));
  if (messages.length > 0)
    await context.queue.send(readDestination(binding, context.settings).name, messages);
}

function toBody(value: unknown): JsonValue {
  if (value instanceof Uint8Array) return toBody(Buffer.from(value).toString());
  if (typeof value !== 'string') return value as JsonValue;
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    // Other texts are the body themselves.
    return value;
  }
}
