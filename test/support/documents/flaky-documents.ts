import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../../shared/core/errors.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';

/** The fault of one operation: the connection is lost `before` or `after` it is applied; or it is applied `late`. */
export type Fate = 'ok' | 'before' | 'after' | 'late';

/** A store whose operations fail as configured, so that the caller cannot know whether they were applied. */
export function makeFlaky(store: MetadataStore, nextFate: () => Fate): MetadataStore {
  const lost = () => new AppError('UNAVAILABLE', 'The connection was lost.');
  const wrap =
    <Args extends readonly unknown[], Result>(operation: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const fate = nextFate();
      if (fate === 'before') throw lost();
      if (fate === 'late') for (let turns = 0; turns < 8; turns += 1) await setImmediate();
      const result = await operation(...args);
      if (fate === 'after') throw lost();
      return result;
    };
  return {
    get: wrap(store.get.bind(store)) as MetadataStore['get'],
    create: wrap(store.create.bind(store)),
    replace: wrap(store.replace.bind(store)),
    upsert: wrap(store.upsert.bind(store)),
    delete: wrap(store.delete.bind(store)),
    batch: wrap(store.batch.bind(store)),
    list: wrap(store.list.bind(store)) as MetadataStore['list'],
    ping: () => store.ping(),
    close: async () => {},
  };
}
