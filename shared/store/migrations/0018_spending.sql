-- What was spent on models in a day (days since 1970, UTC): by a sender, and by the tenant together, whose sender is ''.
CREATE TABLE spending (
  tenant_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  day INTEGER NOT NULL,
  tokens INTEGER NOT NULL DEFAULT 0,
  micro_usd INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, sender, day)
) WITHOUT ROWID;
CREATE INDEX spending_by_day ON spending (day);

ALTER TABLE tasks ADD COLUMN spent_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN spent_micro_usd INTEGER NOT NULL DEFAULT 0;

-- A model call under way: what it may cost at most is counted as spent until it is known what it did cost.
CREATE TABLE reservations (
  claim TEXT PRIMARY KEY,
  task_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  day INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  micro_usd INTEGER NOT NULL,
  -- What it reads, what it is known to have written, and what a token costs of each: counted if nobody hears of its end.
  read_tokens INTEGER NOT NULL,
  written_tokens INTEGER NOT NULL DEFAULT 0,
  input_micro_usd REAL NOT NULL,
  output_micro_usd REAL NOT NULL,
  until INTEGER NOT NULL,
  is_lost INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX reservations_of_tenant ON reservations (tenant_id, is_lost);
CREATE INDEX reservations_of_task ON reservations (task_id);
CREATE INDEX reservations_by_until ON reservations (until);

-- What an approval allows a task beyond its caps, in all, as JSON; NULL: it is about a call.
ALTER TABLE approvals ADD COLUMN allows TEXT;
