import type { InvocationContext } from '@azure/functions';
import { forEachSettled } from '../../shared/core/async/for-each-settled.ts';
import { toLogger } from './logger.ts';
import { app } from './start.ts';

/**
 * Handles what one queue trigger delivered. A failure that a retry can help is thrown, so that the host delivers again;
 * one that may be a defect, only so often. Any other sends the message to the queue `refused` with its reason, and
 * completes it: `@azure/functions` 4.16 cannot settle a message by hand, and one that fails until the host
 * dead-letters it only says "MaxDeliveryCountExceeded".
 */
export async function handleMessages(
  context: InvocationContext,
  bodies: readonly unknown[],
  work: (body: unknown) => Promise<void>,
): Promise<void> {
  const { functionName, invocationId, triggerMetadata } = context;
  const given = triggerMetadata?.['messageId'];
  const count = triggerMetadata?.['deliveryCount'];
  const deliveries = typeof count === 'number' ? count : 1;
  const messageId = typeof given === 'string' ? given : invocationId;
  await forEachSettled(
    bodies.entries(),
    ([, body]) => work(body),
    async ([index, body], error) => {
      const id = bodies.length > 1 ? `${messageId}/${index}` : messageId;
      await app.refuseMessage({ by: functionName, messageId: id, body, error }, toLogger(context));
    },
    deliveries,
  );
}
