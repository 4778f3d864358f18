-- What makes later changes visible. Every deed of the audit, and every event and file of evidence, is a row of a chain of
-- hashes. Rows that were there before come into their chain when a program opens the store for the first time.
CREATE TABLE chains (
    name TEXT PRIMARY KEY,
    length BIGINT NOT NULL,
    head BYTEA NOT NULL,
    -- Whether all that was there before is in it.
    complete BOOLEAN NOT NULL
);

ALTER TABLE audit ADD COLUMN position BIGINT;
ALTER TABLE audit ADD COLUMN leaf BYTEA;
ALTER TABLE audit ADD COLUMN link BYTEA;
CREATE UNIQUE INDEX audit_in_chain ON audit (position) WHERE position IS NOT NULL;

-- One row for each event and file of evidence, in the order in which they came.
CREATE TABLE ledger (
    position BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    -- The event's id, or one that is derived from incident, role and path of a file.
    subject UUID NOT NULL,
    -- Of a file: `INCIDENT/ROLE/PATH`.
    name TEXT,
    -- SHA-256 of all that the row says as it is stored, and of the link before with that.
    leaf BYTEA NOT NULL,
    link BYTEA NOT NULL
);
CREATE INDEX ledger_of_subject ON ledger (subject);

-- Signed words on the length of a chain. They are in a file beside the store, too.
CREATE TABLE checkpoints (
    chain TEXT NOT NULL,
    length BIGINT NOT NULL,
    head BYTEA NOT NULL,
    at BIGINT NOT NULL,
    key BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    PRIMARY KEY (chain, length)
);

-- Nothing updates or deletes what is in a chain.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit FOR EACH ROW WHEN (OLD.link IS NOT NULL) EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER ledger_stays BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION append_only();
