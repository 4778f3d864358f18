-- What this node has to say, in the order in which it decided it. Times are microseconds since 1970 (UTC).
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    retain BOOLEAN NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- When the broker acknowledged it. Sent rows stay for a while: the broker may be killed before it keeps its word.
    sent_at INTEGER
);
CREATE INDEX outbox_pending ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;

-- The latest event of each incident that has not ended, so that a new process can end what a crashed one left open.
CREATE TABLE open_incidents (
    incident_id BLOB PRIMARY KEY,
    sequence INTEGER NOT NULL,
    -- Form of the document.
    version INTEGER NOT NULL,
    document TEXT NOT NULL
);
