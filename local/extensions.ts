import { blobExtension } from './blob/extension.ts';
import { durableExtension } from './durable/extension.ts';
import type { HostExtension } from './host-context.ts';
import { httpExtension } from './http/extension.ts';
import { serviceBusExtension } from './servicebus/extension.ts';
import type { AppSettings } from './settings/app-settings.ts';
import { storageQueueExtension } from './storage-queue/extension.ts';
import { timerExtension } from './timer/extension.ts';
import type { FunctionEntry } from './worker/function-table.ts';

/**
 * Everything that the host emulates, in the order of starting; they stop in reverse. Functions of later extensions use
 * earlier ones: the Durable client, for example, calls this host over HTTP.
 */
export const extensions: readonly HostExtension[] = [
  storageQueueExtension,
  durableExtension,
  httpExtension,
  serviceBusExtension,
  blobExtension,
  timerExtension,
];

/** Checks all bindings. @returns one line per fault, with the function's name */
export function checkBindings(functions: readonly FunctionEntry[], settings: AppSettings): readonly string[] {
  return functions.flatMap((fn) => {
    const problems: string[] = [];
    const owner = extensions.find(({ triggerTypes }) => triggerTypes.includes(fn.trigger.type));
    if (!owner) problems.push(`the trigger type "${fn.trigger.type}" is not emulated`);
    problems.push(...(owner?.check?.(fn, settings) ?? []));
    for (const { type } of fn.inputs)
      if (!extensions.some(({ inputTypes }) => inputTypes?.includes(type)))
        problems.push(`the input type "${type}" is not emulated`);
    for (const { type } of fn.returns ? [...fn.outputs, fn.returns] : fn.outputs)
      if (!extensions.some(({ outputTypes }) => outputTypes?.includes(type)))
        problems.push(`the output type "${type}" is not emulated`);
    return problems.map((problem) => `${fn.name}: ${problem}`);
  });
}
