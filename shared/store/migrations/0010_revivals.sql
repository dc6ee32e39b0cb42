-- How often a task was revived without a step forward, and the number of the event that tells of the last time: a newer one is a step.
ALTER TABLE tasks ADD COLUMN revivals INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN revived_seq INTEGER NOT NULL DEFAULT 0;
