-- Rows hold the ids that they need, and what was coded in strings is columns.

ALTER TABLE turns RENAME COLUMN n TO turn;
ALTER TABLE calls RENAME COLUMN n TO turn;
ALTER TABLE calls RENAME COLUMN k TO call;
ALTER TABLE calls ADD COLUMN started_at INTEGER; -- NULL: nobody has begun it
ALTER TABLE artifacts RENAME COLUMN n TO turn;
ALTER TABLE artifacts RENAME COLUMN k TO call;
ALTER TABLE artifacts RENAME COLUMN i TO position;
ALTER TABLE attachments RENAME COLUMN i TO position;
ALTER TABLE conversations RENAME COLUMN epoch TO forgotten_seq;

-- The message that began it.
ALTER TABLE tasks ADD COLUMN message_id TEXT;
UPDATE tasks SET message_id = 'msg_' || substr(id, 6);

-- The id of the task that it begins, if it begins one; and who read it: a turn, or, without one, the end of its task.
ALTER TABLE messages ADD COLUMN starts_task_id TEXT;
ALTER TABLE messages ADD COLUMN task_id TEXT; -- NULL: unread
ALTER TABLE messages ADD COLUMN turn INTEGER;
UPDATE messages SET starts_task_id = 'task_' || substr(id, 5);
UPDATE messages SET
  task_id = CASE WHEN instr(turn_id, '/') > 0
    THEN substr(turn_id, 1, instr(turn_id, '/') - 1)
    ELSE COALESCE((SELECT id FROM tasks t WHERE t.conversation_id = messages.conversation_id AND t.ended_by = turn_id),
      starts_task_id) END,
  turn = CASE WHEN turn_id LIKE '%/end' THEN NULL
    WHEN instr(turn_id, '/') > 0 THEN CAST(substr(turn_id, instr(turn_id, '/') + 1) AS INTEGER) END
  WHERE turn_id IS NOT NULL;
DROP INDEX messages_unread;
ALTER TABLE messages DROP COLUMN turn_id;
CREATE INDEX messages_unread ON messages (conversation_id) WHERE task_id IS NULL;

-- The platform's own id of the message that it answers.
ALTER TABLE replies ADD COLUMN answers_id TEXT;
UPDATE replies SET answers_id = (
    SELECT CASE WHEN json_valid(event) THEN event->>'messageId' END FROM inbound
    WHERE id = 'inb_' || substr(replies.id, instr(replies.id, '_') + 1))
  WHERE state = 'open';

-- The receipt: one row each, numbered for each task. Old numbers are kept, for somebody may be following them.
CREATE TABLE receipt (
  task_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  turn INTEGER,
  call INTEGER,
  attempt TEXT, -- which attempt at the turn said it
  at INTEGER NOT NULL,
  data TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (task_id, seq)
) WITHOUT ROWID;
INSERT INTO receipt (task_id, seq, type, turn, call, attempt, at, data)
  SELECT task_id, seq, type,
    CASE WHEN rest <> '' THEN CAST(rest AS INTEGER) END,
    CASE WHEN type IN ('started', 'observed') THEN CAST(substr(rest, instr(rest, '.') + 1) AS INTEGER) END,
    CASE type WHEN 'text' THEN data->>'attempt' END, at,
    CASE type
      WHEN 'text' THEN json_remove(data, '$.turn', '$.attempt')
      WHEN 'ended' THEN json_object('state', data->>'state', 'by', (SELECT ended_by FROM tasks WHERE id = task_id), 'reason', data->>'reason')
      WHEN 'observed' THEN json_patch('{"files":[]}', data)
      ELSE COALESCE(data, '{}') END
  FROM (SELECT e.*, substr(key || ' ', 1, instr(key || ' ', ' ') - 1) AS type, substr(key || ' ', instr(key || ' ', ' ') + 1) AS rest
    FROM events e WHERE EXISTS (SELECT 1 FROM tasks WHERE id = e.task_id));
DROP TABLE events;
ALTER TABLE receipt RENAME TO events;
