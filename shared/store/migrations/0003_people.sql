-- Who may talk to this installation, beside those whom its variables name: people, and groups with everybody in them.
CREATE TABLE people (
  tenant_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  external_id TEXT NOT NULL, -- the platform's own id of the person or the group
  role TEXT NOT NULL CHECK (role IN ('unknown', 'member', 'admin')),
  code TEXT UNIQUE,          -- what an unknown person was told, for somebody to admit them by
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, channel, external_id)
) WITHOUT ROWID;

-- Every decision about access, and who took it.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  what TEXT NOT NULL,
  whom TEXT NOT NULL
);
CREATE INDEX audit_by_tenant ON audit (tenant_id);
