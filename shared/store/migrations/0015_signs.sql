-- When the clock, and each Worker, was last heard of, and in which version.
CREATE TABLE signs (
  name TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
