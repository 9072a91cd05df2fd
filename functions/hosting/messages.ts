import type { InvocationContext } from '@azure/functions';
import { forEachSettled } from '../../shared/core/async/for-each-settled.ts';
import { toLogger } from './logger.ts';
import { app } from './start.ts';

/**
 * Handles the messages of one queue trigger. Throws failures that a retry can help, so that the host redelivers, and
 * unknown ones for the first attempts. Sends the message of a final failure to the queue `refused` and completes it:
 * `@azure/functions` 4.16 cannot dead-letter a message with a reason, and the host's own dead-lettering only says
 * "MaxDeliveryCountExceeded".
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
