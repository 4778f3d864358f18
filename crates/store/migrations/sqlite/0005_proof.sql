-- What makes later changes visible. Every deed of the audit, and every event and file of evidence, is a row of a chain of
-- hashes. Rows that were there before come into their chain when a program opens the store for the first time.
CREATE TABLE chains (
    name TEXT PRIMARY KEY,
    length INTEGER NOT NULL,
    head BLOB NOT NULL,
    -- Whether all that was there before is in it.
    complete BOOLEAN NOT NULL
);

ALTER TABLE audit ADD COLUMN position INTEGER;
ALTER TABLE audit ADD COLUMN leaf BLOB;
ALTER TABLE audit ADD COLUMN link BLOB;
CREATE UNIQUE INDEX audit_in_chain ON audit (position) WHERE position IS NOT NULL;

-- One row for each event and file of evidence, in the order in which they came.
CREATE TABLE ledger (
    position INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    -- The event's id, or one that is derived from incident, role and path of a file.
    subject BLOB NOT NULL,
    -- Of a file: `INCIDENT/ROLE/PATH`.
    name TEXT,
    -- SHA-256 of all that the row says as it is stored, and of the link before with that.
    leaf BLOB NOT NULL,
    link BLOB NOT NULL
);
CREATE INDEX ledger_of_subject ON ledger (subject);

-- Signed words on the length of a chain. They are in a file beside the store, too.
CREATE TABLE checkpoints (
    chain TEXT NOT NULL,
    length INTEGER NOT NULL,
    head BLOB NOT NULL,
    at INTEGER NOT NULL,
    key BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (chain, length)
);

-- Nothing updates or deletes what is in a chain.
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit WHEN OLD.link IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER ledger_stays BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_kept BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
