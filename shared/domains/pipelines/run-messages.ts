import { z } from 'zod';
import { sha256 } from '../../core/ids.ts';
import { queues } from '../../core/names/resources.ts';
import type { MessageQueue } from '../../platform/storage/queue.ts';

/** What the queue `runs` carries. The run itself is in the metadata store. */
export const runMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('run.start'), runId: z.string() }),
  z.strictObject({ type: z.literal('run.cancel'), runId: z.string() }),
]);
export type RunMessage = z.infer<typeof runMessageSchema>;

/**
 * Sends what the engine is to do with a run.
 *
 * @param again makes the id of a repeated message differ from the first, which the queue may still deduplicate by
 */
export async function sendRunMessage(
  queue: Pick<MessageQueue, 'send'>,
  { type, runId }: RunMessage,
  again = '',
): Promise<void> {
  // A run's id may be longer than that of a message.
  const id = `${type}:${sha256(`${runId}\n${again}`).slice(0, 40)}`;
  await queue.send(queues.runs, [{ id, subject: type, body: { type, runId } }]);
}
