-- What is wrong with the installation, as its watch finds it, and what of it was told.
CREATE TABLE alerts (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  -- NULL: it is not wrong any more.
  wrong_since INTEGER,
  told TEXT NOT NULL DEFAULT 'resolved',
  told_at INTEGER NOT NULL DEFAULT 0,
  -- Counts what was told.
  revision INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, subject)
) WITHOUT ROWID;

-- One telling of one alert to one sink.
CREATE TABLE notices (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  revision INTEGER NOT NULL,
  sink TEXT NOT NULL,
  state TEXT NOT NULL,
  detail TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  outcome TEXT,
  -- What says it in a chat.
  reply_id TEXT,
  PRIMARY KEY (kind, subject, revision, sink)
) WITHOUT ROWID;

-- It was put aside because a setting is missing or wrong.
ALTER TABLE outbox ADD COLUMN misconfigured INTEGER NOT NULL DEFAULT 0;
