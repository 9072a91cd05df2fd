import { AppError } from '../../shared/core/errors.ts';
import { webhookPath } from './http/client-urls.ts';
import { createDurableExtension } from './engine.ts';
import { textOf } from '../settings/host-json.ts';
import type { HostContext, HostExtension } from '../host-context.ts';
import { opensDurableWebhooks } from '../http/keys.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import { fromTypedData } from '../worker/typed-data.ts';

const kinds = {
  orchestrationTrigger: 'orchestration',
  activityTrigger: 'activity',
  entityTrigger: 'entity',
} as const;

/** Durable Functions: connects the engine to the worker, its triggers, its client binding and its webhooks. */
export const durableExtension = {
  name: 'durableTask',
  triggerTypes: Object.keys(kinds),
  inputTypes: ['durableClient'],
  start(context: HostContext, functions: readonly FunctionEntry[]) {
    const byName = new Map(functions.map((fn) => [fn.name, fn]));
    const settings = context.hostJson.durableTask;
    const engine = createDurableExtension(
      {
        ...context,
        functions: functions.map(({ name, trigger }) => ({
          name,
          kind: kinds[trigger.type as keyof typeof kinds],
        })),
        async invoke(name, input) {
          const fn = byName.get(name);
          if (!fn)
            throw new AppError('NOT_FOUND', `There is no durable function "${name}".`, { function: name });
          return fromTypedData(await context.dispatch(fn, { trigger: { string: input }, metadata: {} }));
        },
      },
      {
        hubName: textOf(settings['hubName'], 'TestHubName'),
        systemKey: context.keys.durableTask,
        settings,
      },
    );
    context.endpoints.mount({
      prefix: webhookPath,
      // The SDK's client sends no key. Its base URL has a secret below /rpc/, which the engine checks.
      isOpenedBy: (keys, key, path) => path.startsWith('/rpc/') || opensDurableWebhooks(keys, key),
      handle: (request) => engine.handle({ ...request, isTrusted: true }),
    });
    return Promise.resolve({
      begin: () => engine.start(),
      stop: () => engine.stop(),
      readInput: () => ({ string: engine.clientBinding() }),
    });
  },
} satisfies HostExtension;
