/**
 * The tables of the durable engine in the host's database. A history has one row per turn (a JSON list of events), so
 * that a turn appends exactly once.
 */
export const durableSchema = `
CREATE TABLE IF NOT EXISTS df_instances (
  instance_id TEXT PRIMARY KEY,
  execution_id TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  turns INTEGER NOT NULL,
  input TEXT,
  output TEXT,
  custom_status TEXT,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  parent_instance_id TEXT,
  parent_execution_id TEXT,
  parent_task_id INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS df_instances_unstarted ON df_instances (instance_id)
  WHERE turns = 0 AND status IN ('Pending', 'Running');
CREATE TABLE IF NOT EXISTS df_history (
  instance_id TEXT NOT NULL,
  turn INTEGER NOT NULL,
  events TEXT NOT NULL,
  PRIMARY KEY (instance_id, turn)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS df_inbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id TEXT NOT NULL,
  execution_id TEXT,
  event TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS df_inbox_instance ON df_inbox (instance_id, seq);
CREATE TABLE IF NOT EXISTS df_activities (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  task_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  input TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS df_activities_instance ON df_activities (instance_id);
CREATE TABLE IF NOT EXISTS df_timers (
  instance_id TEXT NOT NULL,
  timer_id INTEGER NOT NULL,
  fire_at_ms INTEGER NOT NULL,
  PRIMARY KEY (instance_id, timer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS df_timers_due ON df_timers (fire_at_ms);
CREATE TABLE IF NOT EXISTS df_entities (
  entity_id TEXT PRIMARY KEY,
  exists_now INTEGER NOT NULL,
  state TEXT,
  updated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS df_entity_inbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  entity_id TEXT NOT NULL,
  request TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS df_entity_inbox_entity ON df_entity_inbox (entity_id, seq);
`;
