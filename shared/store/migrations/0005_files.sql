-- The files that a task made: their content lies in R2, under its hash.
CREATE TABLE artifacts (
  task_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  n INTEGER NOT NULL, -- the call that made it
  k INTEGER NOT NULL,
  i INTEGER NOT NULL, -- the how-manieth of that call
  name TEXT NOT NULL,
  mime TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (task_id, sha256)
) WITHOUT ROWID;

-- The files that messages came with, fetched from their platform: kept, or why not.
CREATE TABLE attachments (
  message_id TEXT NOT NULL,
  i INTEGER NOT NULL,
  sha256 TEXT, -- NULL: it could not be fetched
  mime TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  failure TEXT,
  PRIMARY KEY (message_id, i)
) WITHOUT ROWID;
