-- Why a task failed, as JSON; and what a call brought, in its parts.
ALTER TABLE tasks ADD COLUMN error TEXT;
ALTER TABLE calls ADD COLUMN output TEXT;
ALTER TABLE calls ADD COLUMN value TEXT; -- JSON; NULL: none, or too long
ALTER TABLE calls ADD COLUMN error TEXT;
UPDATE calls SET output = CASE ok WHEN 1 THEN result ELSE '' END, error = CASE ok WHEN 0 THEN result END WHERE ok IS NOT NULL;

-- A file is known by the call that made it, and its place there: the same content twice is two files.
CREATE TABLE files (
  task_id TEXT NOT NULL,
  turn INTEGER NOT NULL,
  call INTEGER NOT NULL, -- 0: the turn's own answer
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  mime TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (task_id, turn, call, position)
) WITHOUT ROWID;
INSERT INTO files (task_id, turn, call, position, name, mime, bytes, sha256)
  SELECT task_id, turn, call, position, name, mime, bytes, sha256 FROM artifacts;
DROP TABLE artifacts;
ALTER TABLE files RENAME TO artifacts;
-- Whether anything names the content still.
CREATE INDEX artifacts_by_content ON artifacts (sha256);
CREATE INDEX attachments_by_content ON attachments (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX calls_with_images ON calls (task_id) WHERE images <> '[]';
