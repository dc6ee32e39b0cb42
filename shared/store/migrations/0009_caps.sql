-- Who has said a message, and whose message began a task: `telegram:218485655`, or `key:` and the hash of an API key.
ALTER TABLE messages ADD COLUMN sender TEXT;
ALTER TABLE tasks ADD COLUMN sender TEXT;
-- How many tasks somebody has under way.
CREATE INDEX tasks_active_of_sender ON tasks (sender) WHERE state IN ('queued', 'running', 'waiting');

UPDATE messages SET sender = (SELECT i.channel || ':' || (i.event->>'$.sender.id') FROM inbound i
    WHERE i.id = 'inb_' || substr(messages.id, 5) AND json_valid(i.event));
-- What came in longer ago: a private chat has the id of its person.
UPDATE messages SET sender = (SELECT c.channel || ':' || (c.address->>'chatId') FROM conversations c
    WHERE c.id = messages.conversation_id AND c.channel = 'telegram' AND c.address->>'chatId' NOT LIKE '-%')
  WHERE sender IS NULL;
UPDATE tasks SET sender = (SELECT sender FROM messages WHERE id = tasks.message_id);

-- The event streams that a key has open: whoever vanishes without closing theirs loses it when its time is over.
CREATE TABLE streams (
  key_hash TEXT NOT NULL,
  id TEXT NOT NULL,
  open_until INTEGER NOT NULL,
  PRIMARY KEY (key_hash, id)
) WITHOUT ROWID;
