import type { AppError } from '../../core/errors.ts';
import { sha256 } from '../../core/ids.ts';
import type { MessageQueue } from './queue.ts';

/** A message that a retry cannot help, and the reason. */
export interface RefusedMessage {
  /** The function that refused it. */
  readonly by: string;
  readonly messageId: string;
  /** Unvalidated. */
  readonly body: unknown;
  readonly error: AppError;
}

/** JSON takes up to six bytes a character, and a message at most 256 KB. */
const maxBodyLength = 32 * 1024;

/**
 * Sends a message that a retry cannot help to a queue, with its reason, for an operator to inspect and resend. The id is
 * stable, so that the queue can drop repetitions.
 *
 * @throws as `MessageQueue.send`
 */
export async function sendToRefused(
  queue: MessageQueue,
  destination: string,
  refused: RefusedMessage,
): Promise<void> {
  const { by, messageId, body, error } = refused;
  await queue.send(destination, [
    {
      id: `refused-${sha256(`${by}\n${messageId}`).slice(0, 32)}`,
      subject: error.code,
      body: {
        by,
        messageId: messageId.toWellFormed(),
        code: error.code,
        reason: cut(error.message),
        body: toText(body),
      },
    },
  ]);
}

/** The body as text, cut to a length that fits. */
function toText(body: unknown): string {
  if (body instanceof Uint8Array) return cut(Buffer.from(body).toString('utf8'));
  return cut(typeof body === 'string' ? body : JSON.stringify(body ?? null));
}

function cut(text: string): string {
  return text.slice(0, maxBodyLength).toWellFormed();
}
