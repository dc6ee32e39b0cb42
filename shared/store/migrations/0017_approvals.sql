-- What a tenant's tools may do by themselves: contracts and defaults are in shared/policy.
ALTER TABLE tenants ADD COLUMN policy TEXT;

-- Why a call waits for a person before it is made; NULL: it does not.
ALTER TABLE calls ADD COLUMN gate TEXT;

-- Since when every open call of the task waits for a person: its deadline stands still.
ALTER TABLE tasks ADD COLUMN waiting_since INTEGER;

-- The buttons of a message that asks a person, as JSON; NULL: it asks nothing.
ALTER TABLE replies ADD COLUMN buttons TEXT;

-- What a call asks a person: whether it may be made, or a question.
CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  turn INTEGER NOT NULL,
  call INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open',
  -- As it is shown, in Markdown.
  text TEXT NOT NULL,
  choices TEXT NOT NULL DEFAULT '[]',
  requested_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER,
  decided_by TEXT,
  -- Whose doing it was: the inbound, or the request over the API. Done again, it changes nothing more.
  decision_key TEXT,
  -- The words of a denial, or the answer.
  reason TEXT,
  woken_at INTEGER
);
CREATE INDEX approvals_of_task ON approvals (task_id);
CREATE INDEX approvals_by_decision ON approvals (decision_key) WHERE decision_key IS NOT NULL;
CREATE INDEX approvals_of_conversation ON approvals (conversation_id);
