-- The truth of Errand. SCHEMA.md tells what each table is for; times are Unix milliseconds.

CREATE TABLE tenants (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Channels configured by variables belong to this one.
INSERT INTO tenants (id, name, created_at) VALUES ('default', 'Default', 0);

CREATE TABLE api_keys (
  hash TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE inbound (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  tenant_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  conversation_id TEXT, -- NULL: nobody could read it
  event TEXT,           -- NULL: nobody could read it
  raw,                  -- as it came: TEXT when it was UTF-8, else BLOB
  state TEXT NOT NULL CHECK (state IN ('new', 'handled', 'ignored', 'parked')),
  note TEXT,
  received_at INTEGER NOT NULL
);
-- Triage takes every new message of a conversation, in order, whichever of them it was rung for.
CREATE INDEX inbound_new ON inbound (conversation_id) WHERE state = 'new';

CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0, -- messages up to this seq are forgotten (/new)
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE messages (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation_id TEXT NOT NULL,
  content TEXT NOT NULL,
  turn_id TEXT, -- NULL: unread
  created_at INTEGER NOT NULL
);
CREATE INDEX messages_by_conversation ON messages (conversation_id);
CREATE INDEX messages_unread ON messages (conversation_id) WHERE turn_id IS NULL;

CREATE TABLE tasks (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  tenant_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (
    state IN ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'timed_out')
  ),
  deadline_at INTEGER NOT NULL,
  claimed_until INTEGER NOT NULL DEFAULT 0, -- somebody is at work on it until then
  ended_by TEXT,
  created_at INTEGER NOT NULL,
  ended_at INTEGER
);
CREATE UNIQUE INDEX tasks_one_active ON tasks (conversation_id) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX tasks_by_conversation ON tasks (conversation_id);
CREATE INDEX tasks_by_tenant ON tasks (tenant_id);

CREATE TABLE turns (
  task_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  claim TEXT NOT NULL,
  claimed_until INTEGER NOT NULL,
  text TEXT, -- NULL: not answered yet
  model TEXT,
  tokens_in INTEGER,
  tokens_out INTEGER,
  latency_ms INTEGER,
  PRIMARY KEY (task_id, n)
) WITHOUT ROWID;

CREATE TABLE calls (
  task_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  k INTEGER NOT NULL,
  tool TEXT NOT NULL,
  input TEXT NOT NULL,
  ok INTEGER, -- NULL: not done yet
  result TEXT,
  PRIMARY KEY (task_id, n, k)
) WITHOUT ROWID;

CREATE TABLE replies (
  id TEXT PRIMARY KEY, -- of the task, or of the inbound that needed none
  tenant_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  text TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  final INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'delivered', 'undeliverable')),
  reason TEXT,
  lease_token TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE deliveries (
  reply_id TEXT NOT NULL,
  part INTEGER NOT NULL, -- -1 is the "done" ping
  state TEXT NOT NULL CHECK (state IN ('creating', 'absent', 'doubtful', 'shown')),
  external_id TEXT,
  revision INTEGER NOT NULL DEFAULT 0,
  doubts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (reply_id, part)
) WITHOUT ROWID;

CREATE TABLE outbox (
  queue TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  ring_at INTEGER NOT NULL,
  rings INTEGER NOT NULL DEFAULT 0,
  parked_reason TEXT,
  parked_at INTEGER,
  parked_body TEXT, -- what a doorbell that could not be read said
  PRIMARY KEY (queue, key)
) WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (ring_at) WHERE parked_reason IS NULL;
CREATE INDEX outbox_parked ON outbox (parked_at) WHERE parked_reason IS NOT NULL;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL,
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  data TEXT,
  UNIQUE (task_id, key)
);
