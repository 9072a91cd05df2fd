import type { AppError } from '../../core/errors.ts';
import { sha256 } from '../../core/ids.ts';
import type { MessageQueue } from './queue.ts';

/** A message that no retry can help, and why. */
export interface RefusedMessage {
  /** The function that refused it. */
  readonly by: string;
  readonly messageId: string;
  /** As it came: hostile. */
  readonly body: unknown;
  readonly error: AppError;
}

/** At up to six bytes a character in JSON, this and the rest fit into the 256 KB of a message. */
const maxBodyLength = 32 * 1024;

/**
 * Puts a message aside with its reason, for an operator to look at and send again; the same message again is told
 * apart by nothing but its id, as everywhere.
 *
 * @throws as `MessageQueue.send`
 */
export async function putAside(
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

/** As text, which can say whatever came; the beginning of it when it is too long. */
function toText(body: unknown): string {
  if (body instanceof Uint8Array) return cut(Buffer.from(body).toString('utf8'));
  return cut(typeof body === 'string' ? body : JSON.stringify(body ?? null));
}

function cut(text: string): string {
  return text.slice(0, maxBodyLength).toWellFormed();
}
