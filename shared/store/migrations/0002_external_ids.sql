-- The platform's own id of a message within its chat: what an edit names.
ALTER TABLE messages ADD COLUMN external_id TEXT;
