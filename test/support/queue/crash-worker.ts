import { writeSync } from 'node:fs';
import { systemClock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { openSqliteQueue } from '../../../shared/adapters/embedded/sqlite-queue.ts';

/**
 * A process to be killed: sends or receives until then, and prints every acknowledged operation.
 * `node queue-crash-worker.ts <send|receive> <file> <name>`
 */
const [, , mode, file, name] = process.argv;
if (file === undefined || name === undefined) throw new Error('usage: <send|receive> <file> <name>');

const queue = openSqliteQueue({ clock: systemClock, ids: systemIds }, { file, pollMs: 10 });
const say = (word: string, id: string) => writeSync(1, `${word} ${id}\n`);

if (mode === 'send') {
  for (let i = 0; ; i++) {
    const batch = `${name}.${i}`;
    const messages = ['a', 'b', 'c'].map((part) => ({ id: `${batch}.${part}`, body: 'x'.repeat(500) }));
    say('sending', batch);
    await queue.send('work', messages);
    say('sent', batch);
    await systemClock.sleep(3);
  }
} else {
  for (;;) {
    const messages = await queue.receive({ queue: 'work' }, { maxMessages: 5, waitMs: 1000 });
    for (const message of messages) {
      say('got', message.id);
      try {
        await queue.complete(message);
        say('completed', message.id);
      } catch (error) {
        say('lost', message.id);
        if (!(error instanceof Error && error.message.includes('lock'))) throw error;
      }
    }
  }
}
