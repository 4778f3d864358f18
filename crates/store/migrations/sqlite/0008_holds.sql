-- Evidence that must stay, and evidence that two people have deleted.

-- Why the files of an incident, or of all incidents of a case, stay: at most one hold in force for each.
CREATE TABLE holds (
    hold_id BLOB PRIMARY KEY,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('incident', 'case')),
    subject_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    ended_at INTEGER,
    ended_by TEXT
);
CREATE UNIQUE INDEX holds_in_force ON holds (subject_kind, subject_id) WHERE ended_at IS NULL;

-- Incidents whose files stay: those of open cases, those that are held, and other sightings of any of them.
CREATE VIEW held_incidents AS
WITH held AS (
    -- Not JOIN: SQLite is to begin with the open cases.
    SELECT i.incident_id FROM cases AS c CROSS JOIN incidents AS i WHERE i.case_id = c.case_id AND c.closed_at IS NULL
    UNION
    SELECT subject_id AS incident_id FROM holds WHERE subject_kind = 'incident' AND ended_at IS NULL
    UNION
    SELECT i.incident_id FROM holds AS h JOIN incidents AS i ON i.case_id = h.subject_id
        WHERE h.subject_kind = 'case' AND h.ended_at IS NULL
)
SELECT incident_id FROM held
UNION
SELECT s.incident_id FROM held JOIN incidents AS s ON s.same_as = held.incident_id;

-- Files that lie in the vault, where nothing makes room.
CREATE TABLE vault (
    sha256 TEXT PRIMARY KEY,
    at INTEGER NOT NULL
);

-- Deletions of an incident's evidence: asked for by one person, then approved by another one or withdrawn.
CREATE TABLE deletions (
    deletion_id BLOB PRIMARY KEY,
    incident_id BLOB NOT NULL,
    asked_at INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    approved_at INTEGER,
    approved_by TEXT,
    withdrawn_at INTEGER,
    withdrawn_by TEXT,
    -- When no copy was left.
    done_at INTEGER
);
CREATE UNIQUE INDEX deletions_pending ON deletions (incident_id) WHERE approved_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX deletions_to_do ON deletions (approved_at) WHERE approved_at IS NOT NULL AND done_at IS NULL;

-- The deletion that a file fell to; its row stays.
ALTER TABLE evidence ADD COLUMN deletion BLOB;
-- One file can prove several incidents.
CREATE INDEX evidence_of_file ON evidence (sha256);
