import type { InvocationContext } from '@azure/functions';
import { forEachSettled } from '../../shared/core/async/for-each-settled.ts';
import { toLogger } from './logger.ts';
import { app } from './start.ts';

/**
 * Handles what one queue trigger delivered. A failure that may pass is thrown, so that the host delivers again. Any
 * other is put aside with its reason into the queue `refused`, and the message is completed: `@azure/functions` 4.16
 * lets JavaScript settle no message by hand, and one that fails until the host dead-letters it only says
 * "MaxDeliveryCountExceeded".
 */
export async function handleMessages(
  context: InvocationContext,
  bodies: readonly unknown[],
  work: (body: unknown) => Promise<void>,
): Promise<void> {
  const { functionName, invocationId, triggerMetadata } = context;
  const given = triggerMetadata?.['messageId'];
  const messageId = typeof given === 'string' ? given : invocationId;
  await forEachSettled(
    bodies.entries(),
    ([, body]) => work(body),
    async ([index, body], error) => {
      const id = bodies.length > 1 ? `${messageId}/${index}` : messageId;
      await app.refuseMessage({ by: functionName, messageId: id, body, error }, toLogger(context));
    },
  );
}
