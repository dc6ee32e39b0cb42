-- How long a message is, in UTF-16 units: what a prompt counts in, and SQLite does not.
ALTER TABLE messages ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET units = length(content);

-- What the fence of a task's prompts is called: whoever writes what stands in it must not know it.
ALTER TABLE tasks ADD COLUMN nonce TEXT NOT NULL DEFAULT '';
UPDATE tasks SET nonce = lower(hex(randomblob(6)));
