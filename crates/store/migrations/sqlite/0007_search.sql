-- A search at a million incidents. Every value of the columns that a search looks through is here once: the words of a
-- search become values, and the values are served by indexes.
CREATE TABLE names (
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (field, value)
) WITHOUT ROWID;
INSERT INTO names (field, value)
    SELECT DISTINCT 'site', site FROM incidents
    UNION SELECT DISTINCT 'node', node FROM incidents
    UNION SELECT DISTINCT 'camera', camera FROM incidents
    UNION SELECT DISTINCT 'zone', zone FROM incidents WHERE zone IS NOT NULL
    UNION SELECT DISTINCT 'rule', rule FROM incidents
    UNION SELECT DISTINCT 'label', label FROM incidents WHERE label IS NOT NULL
    UNION SELECT DISTINCT 'reason', reason FROM incidents WHERE LENGTH(reason) <= 600;

CREATE INDEX incidents_of_site_kind ON incidents (site, kind, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_site_status ON incidents (site, status, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_node ON incidents (node, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_zone ON incidents (zone, started_at DESC, incident_id DESC) WHERE zone IS NOT NULL;
CREATE INDEX incidents_of_rule ON incidents (rule, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_label ON incidents (label, started_at DESC, incident_id DESC) WHERE label IS NOT NULL;
-- The other database's index cannot hold texts of any length: longer ones are looked at one by one.
CREATE INDEX incidents_of_reason ON incidents (reason, started_at DESC, incident_id DESC) WHERE LENGTH(reason) <= 600;
CREATE INDEX incidents_of_long_reason ON incidents (started_at DESC, incident_id DESC) WHERE LENGTH(reason) > 600;
CREATE INDEX audit_of_subject_id ON audit (subject_id, id);
CREATE INDEX incidents_muted ON incidents (started_at DESC, incident_id DESC) WHERE muted_by IS NOT NULL;

-- How many things there are of each sort, kept by triggers.
CREATE TABLE incident_tallies (
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    open BOOLEAN NOT NULL,
    muted BOOLEAN NOT NULL,
    incidents INTEGER NOT NULL,
    PRIMARY KEY (site, kind, status, open, muted)
) WITHOUT ROWID;
INSERT INTO incident_tallies (site, kind, status, open, muted, incidents)
    SELECT site, kind, status, ended_at IS NULL, muted_by IS NOT NULL, COUNT(*) FROM incidents WHERE same_as IS NULL
    GROUP BY 1, 2, 3, 4, 5;

CREATE TRIGGER incident_comes AFTER INSERT ON incidents WHEN NEW.same_as IS NULL
BEGIN
    INSERT INTO incident_tallies (site, kind, status, open, muted, incidents)
        VALUES (NEW.site, NEW.kind, NEW.status, NEW.ended_at IS NULL, NEW.muted_by IS NOT NULL, 1)
        ON CONFLICT (site, kind, status, open, muted) DO UPDATE SET incidents = incidents + 1;
END;
CREATE TRIGGER incident_goes AFTER DELETE ON incidents WHEN OLD.same_as IS NULL
BEGIN
    UPDATE incident_tallies SET incidents = incidents - 1 WHERE site = OLD.site AND kind = OLD.kind
        AND status = OLD.status AND open = (OLD.ended_at IS NULL) AND muted = (OLD.muted_by IS NOT NULL);
END;
CREATE TRIGGER incident_changes AFTER UPDATE OF site, kind, status, ended_at, muted_by, same_as ON incidents
    WHEN OLD.site <> NEW.site OR OLD.kind <> NEW.kind OR OLD.status <> NEW.status
        OR (OLD.ended_at IS NULL) <> (NEW.ended_at IS NULL) OR (OLD.muted_by IS NULL) <> (NEW.muted_by IS NULL)
        OR (OLD.same_as IS NULL) <> (NEW.same_as IS NULL)
BEGIN
    UPDATE incident_tallies SET incidents = incidents - 1 WHERE OLD.same_as IS NULL AND site = OLD.site
        AND kind = OLD.kind AND status = OLD.status AND open = (OLD.ended_at IS NULL)
        AND muted = (OLD.muted_by IS NOT NULL);
    INSERT INTO incident_tallies (site, kind, status, open, muted, incidents)
        SELECT NEW.site, NEW.kind, NEW.status, NEW.ended_at IS NULL, NEW.muted_by IS NOT NULL, 1
        WHERE NEW.same_as IS NULL
        ON CONFLICT (site, kind, status, open, muted) DO UPDATE SET incidents = incidents + 1;
END;
