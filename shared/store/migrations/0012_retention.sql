-- What is old is found by its time.
CREATE INDEX inbound_done ON inbound (received_at) WHERE state IN ('handled', 'ignored');
CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX people_unknown ON people (created_at) WHERE role = 'unknown';
