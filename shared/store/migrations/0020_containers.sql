-- Containers that may run, so that there are never more than may be: Cloudflare has no bound of its own on those of Durable Objects.
CREATE TABLE containers (
  conversation_id TEXT PRIMARY KEY,
  -- It runs no longer than until then, unless it is used again.
  until INTEGER NOT NULL
) WITHOUT ROWID;

-- How long a container has worked for the call. NULL: none has.
ALTER TABLE calls ADD COLUMN container_ms INTEGER;
