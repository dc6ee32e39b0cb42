-- What a key may do, until when, and when it was last used. Those that were there may do everything.
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT '["admin"]';
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER; -- NULL: never
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
