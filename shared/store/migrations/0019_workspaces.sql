-- The files of a conversation, as one: whose they are before anything was said in it, and who has changed them last.
CREATE TABLE workspaces (
  conversation_id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  -- Of a program's conversation: the key that has begun it.
  sender TEXT,
  -- Whose change came last: what has this key was changed by it.
  changed_by TEXT,
  changed_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX workspaces_by_change ON workspaces (changed_at);

-- Their content is in R2, by its hash.
CREATE TABLE workspace_files (
  conversation_id TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  mime TEXT NOT NULL,
  PRIMARY KEY (conversation_id, path)
) WITHOUT ROWID;
CREATE INDEX workspace_files_by_content ON workspace_files (sha256);
