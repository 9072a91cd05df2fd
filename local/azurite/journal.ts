import { DatabaseSync } from 'node:sqlite';
import { deserialize, serialize } from 'node:v8';

/** The part of a LokiJS 1.5 collection that the journal reads. */
interface LokiCollection {
  readonly name: string;
  readonly binaryIndices: Readonly<Record<string, unknown>>;
  readonly uniqueNames: readonly string[];
  readonly data: readonly object[];
  /** Ids inserted, updated or removed since the last flush; LokiJS fills it for incremental adapters. */
  dirtyIds: number[];
  dirty: boolean;
  get(id: number): object | null;
  ensureAllIndexes(force: boolean): void;
}

/** The part of a LokiJS 1.5 database that the journal uses. */
export interface LokiDatabase {
  readonly collections: readonly LokiCollection[];
  configureOptions(options: { readonly adapter: object; readonly autosave: false }): void;
  autosaveDisable(): void;
  /** Replaces all collections. */
  loadJSONObject(saved: object, options: object): void;
}

const schemaVersion = 1;
const schema = `
  CREATE TABLE collection (
    db TEXT NOT NULL, name TEXT NOT NULL, indices TEXT NOT NULL, PRIMARY KEY (db, name)
  ) WITHOUT ROWID;
  CREATE TABLE document (
    db TEXT NOT NULL, collection TEXT NOT NULL, id INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (db, collection, id)
  ) WITHOUT ROWID;
  PRAGMA user_version = ${schemaVersion};
`;

/**
 * Makes Azurite's metadata survive SIGKILL.
 *
 * Azurite keeps names, sizes, ETags and the location of every byte in LokiJS databases in memory and saves them whole
 * every five seconds. A kill loses the acknowledged writes of the last five seconds, although their bytes are on disk;
 * a save per request would cost more with every blob. The journal replaces that persistence through LokiJS's
 * "incremental" adapter interface: LokiJS lists the changed ids, and `flush` writes only those rows to SQLite in one
 * transaction. Azurite's servers call it before the first byte of each answer, so that no client sees a write that
 * could still be lost. With WAL and `synchronous=NORMAL` a commit is with the operating system, where it survives the
 * process (but not a power cut).
 *
 * Rows use V8's serialization instead of JSON to preserve the dates and digests of the records.
 */
export class LokiJournal {
  readonly path: string;
  readonly #sqlite: DatabaseSync;
  readonly #databases = new Map<string, { readonly database: LokiDatabase; readonly undo: boolean }>();
  readonly #known = new Set<string>();
  #generation = 0;

  /** @throws when another process holds the file, or a newer version wrote it */
  constructor(path: string) {
    this.path = path;
    this.#sqlite = new DatabaseSync(path);
    // Exclusive: two Azurites on one directory would overwrite each other's extents. The kernel releases it.
    this.#sqlite.exec(
      'PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE',
    );
    const version = this.#sqlite.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version === 0) this.#sqlite.exec(schema);
    this.#sqlite.exec('COMMIT');
    if (version !== 0 && version !== schemaVersion) {
      this.#sqlite.close();
      throw new Error(`${path} has format ${String(version)}; this version reads format ${schemaVersion}.`);
    }
  }

  /** Increases with each rollback: states read before are no longer valid. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Replaces the persistence of a LokiJS database that has not loaded yet.
   *
   * @param undo whether changes that cannot be saved are rolled back instead of kept for the next flush
   */
  attach(name: string, database: LokiDatabase, { undo }: { readonly undo: boolean }): void {
    this.#databases.set(name, { database, undo });
    database.autosaveDisable();
    database.configureOptions({
      autosave: false,
      adapter: {
        mode: 'incremental',
        loadDatabase: (_filename: string, done: (loaded: object | null) => void) => {
          done(this.#load(name));
          rebuildIndexes(database);
        },
        saveDatabase: (_filename: string, _copy: unknown, done: (error?: unknown) => void) => {
          this.flush();
          done();
        },
      },
    });
  }

  /**
   * Writes the changes since the last call.
   *
   * @throws SQLite's error, after it has rolled back what could not be saved: reads then see saved data only
   */
  flush(): void {
    const changed = [...this.#databases].flatMap(([name, { database, undo }]) =>
      database.collections
        .filter(
          (collection) => collection.dirtyIds.length > 0 || !this.#known.has(`${name}/${collection.name}`),
        )
        .map((collection) => ({ name, collection, database, undo })),
    );
    if (changed.length === 0) return;
    try {
      this.#sqlite.exec('BEGIN IMMEDIATE');
      for (const { name, collection } of changed) this.#write(name, collection);
      this.#sqlite.exec('COMMIT');
    } catch (error) {
      // When the disk is full, SQLite has already rolled back.
      if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK');
      const undone = new Map(
        changed.flatMap(({ name, database, undo }) => (undo ? [[name, database] as const] : [])),
      );
      if (undone.size === 0) return;
      for (const [name, database] of undone) this.#rollBack(name, database);
      this.#generation += 1;
      throw error;
    }
    for (const { name, collection } of changed) {
      this.#known.add(`${name}/${collection.name}`);
      collection.dirtyIds = [];
      collection.dirty = false;
    }
  }

  /** Flushes and closes the file. */
  close(): void {
    this.flush();
    this.#sqlite.close();
  }

  #write(name: string, collection: LokiCollection): void {
    const indices = { binary: Object.keys(collection.binaryIndices), unique: collection.uniqueNames };
    this.#sqlite
      .prepare('INSERT INTO collection VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET indices = excluded.indices')
      .run(name, collection.name, JSON.stringify(indices));
    const upsert = this.#sqlite.prepare(
      'INSERT INTO document VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
    );
    const remove = this.#sqlite.prepare('DELETE FROM document WHERE db = ? AND collection = ? AND id = ?');
    for (const id of new Set(collection.dirtyIds)) {
      const document = collection.get(id);
      if (document === null) remove.run(name, collection.name, id);
      else upsert.run(name, collection.name, id, serialize(document));
    }
  }

  #rollBack(name: string, database: LokiDatabase): void {
    const saved = this.#load(name);
    // A new database that was never saved fails the start.
    if (saved === null) return;
    database.loadJSONObject(saved, {});
    rebuildIndexes(database);
  }

  /** @returns the argument of LokiJS's `loadJSONObject`; null for a new database */
  #load(name: string): object | null {
    const collections = this.#sqlite.prepare('SELECT name, indices FROM collection WHERE db = ?').all(name);
    if (collections.length === 0) return null;
    const rows = this.#sqlite.prepare(
      'SELECT id, body FROM document WHERE db = ? AND collection = ? ORDER BY id',
    );
    return {
      databaseVersion: 1.5,
      collections: collections.map((collection) => {
        const { binary, unique } = JSON.parse(String(collection['indices'])) as {
          binary: string[];
          unique: string[];
        };
        const documents = rows.all(name, String(collection['name']));
        this.#known.add(`${name}/${String(collection['name'])}`);
        return {
          name: collection['name'],
          data: documents.map((row) => deserialize(row['body'] as Uint8Array) as object),
          maxId: Number(documents.at(-1)?.['id'] ?? 0),
          binaryIndices: Object.fromEntries(
            binary.map((field) => [field, { name: field, dirty: true, values: [] }]),
          ),
          uniqueNames: unique,
          adaptiveBinaryIndices: true,
          // When absent, LokiJS reads them as false and keeps every change in memory.
          disableChangesApi: true,
          disableDeltaChangesApi: true,
          disableMeta: false,
          transactional: false,
          asyncListeners: false,
          cloneObjects: false,
          autoupdate: false,
          changes: [],
        };
      }),
    };
  }
}

function rebuildIndexes({ collections }: LokiDatabase): void {
  for (const collection of collections) collection.ensureAllIndexes(true);
}
