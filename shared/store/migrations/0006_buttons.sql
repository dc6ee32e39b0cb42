-- A reply that is no message: what the platform is told for a button that was pressed.
ALTER TABLE replies ADD COLUMN callback_id TEXT;
