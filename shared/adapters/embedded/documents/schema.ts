/**
 * `fields` is the counterpart of Cosmos's automatic index: one row for each scalar member of each document,
 * ordered by (path, type, value), once over the container and once within each partition. Paths and partitions
 * are numbered so that a row stays small. `seq` keeps the order of creation and breaks ties.
 */
const documentTables = `
CREATE TABLE partitions (
  partition_id INTEGER PRIMARY KEY,
  container TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (container, name)
) STRICT;
CREATE TABLE documents (
  seq INTEGER PRIMARY KEY,
  container TEXT NOT NULL,
  partition_id INTEGER NOT NULL,
  id TEXT NOT NULL,
  etag TEXT NOT NULL,
  expires_at INTEGER,
  size_bytes INTEGER NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (partition_id, id)
) STRICT;
CREATE INDEX documents_by_container ON documents (container);
CREATE INDEX documents_by_partition ON documents (partition_id);
CREATE INDEX documents_by_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE paths (
  path_id INTEGER PRIMARY KEY,
  container TEXT NOT NULL,
  path TEXT NOT NULL,
  UNIQUE (container, path)
) STRICT;
CREATE TABLE fields (
  path_id INTEGER NOT NULL,
  type INTEGER NOT NULL,
  value ANY NOT NULL,
  seq INTEGER NOT NULL,
  partition_id INTEGER NOT NULL,
  PRIMARY KEY (path_id, type, value, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX fields_by_partition ON fields (partition_id, path_id, type, value, seq);
`;

/**
 * Documents written since `fields` was last brought up to date. `indexed_body` is the body that the rows in
 * `fields` describe, NULL for a document without rows.
 */
const unindexedTable = `
CREATE TABLE unindexed (
  seq INTEGER PRIMARY KEY,
  indexed_body TEXT
) STRICT;
`;

/** Entry n migrates a file from version n to n + 1; version 0 is an empty file. */
export const migrations: readonly string[] = [documentTables, unindexedTable];

export const schemaVersion = migrations.length;
