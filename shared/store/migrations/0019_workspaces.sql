-- The files of a conversation, as one: whose they are before anything was said in it, and who has changed them last.
CREATE TABLE workspaces (
  conversation_id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  -- Of a program's conversation: the key that has begun it.
  sender TEXT,
  -- Which batch has changed it last.
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
  -- The message that it came with: it goes with it. NULL: a tool or a program has made it.
  message_id TEXT,
  PRIMARY KEY (conversation_id, path)
) WITHOUT ROWID;
CREATE INDEX workspace_files_by_content ON workspace_files (sha256);
CREATE INDEX workspace_files_of_message ON workspace_files (message_id) WHERE message_id IS NOT NULL;

-- What the call has said of the change to the workspace that it has made: it makes none twice.
ALTER TABLE calls ADD COLUMN changed TEXT;
