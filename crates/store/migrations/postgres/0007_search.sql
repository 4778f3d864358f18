-- A search at a million incidents. Every value of the columns that a search looks through is here once: the words of a
-- search become values, and the values are served by indexes.
CREATE TABLE names (
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (field, value)
);
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
-- An index cannot hold texts of any length: longer ones are looked at one by one.
CREATE INDEX incidents_of_reason ON incidents (reason, started_at DESC, incident_id DESC) WHERE LENGTH(reason) <= 600;
CREATE INDEX incidents_of_long_reason ON incidents (started_at DESC, incident_id DESC) WHERE LENGTH(reason) > 600;
CREATE INDEX audit_of_subject_id ON audit (subject_id, id);
CREATE INDEX incidents_muted ON incidents (started_at DESC, incident_id DESC) WHERE muted_by IS NOT NULL;

-- How many things there are of each sort, kept by triggers. Rows of one sort add up: writers append what they changed, so
-- that none waits for another, and now and then one of them sums up.
CREATE TABLE incident_tallies (
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    open BOOLEAN NOT NULL,
    muted BOOLEAN NOT NULL,
    incidents BIGINT NOT NULL
);
INSERT INTO incident_tallies (site, kind, status, open, muted, incidents)
    SELECT site, kind, status, ended_at IS NULL, muted_by IS NOT NULL, COUNT(*) FROM incidents WHERE same_as IS NULL
    GROUP BY 1, 2, 3, 4, 5;

CREATE FUNCTION tally_incidents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO incident_tallies (site, kind, status, open, muted, incidents)
            SELECT site, kind, status, ended_at IS NULL, muted_by IS NOT NULL, COUNT(*)
            FROM new_rows WHERE same_as IS NULL GROUP BY 1, 2, 3, 4, 5;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO incident_tallies (site, kind, status, open, muted, incidents)
            SELECT site, kind, status, ended_at IS NULL, muted_by IS NOT NULL, -COUNT(*)
            FROM old_rows WHERE same_as IS NULL GROUP BY 1, 2, 3, 4, 5;
    ELSE
        INSERT INTO incident_tallies (site, kind, status, open, muted, incidents)
            SELECT site, kind, status, ended_at IS NULL, muted_by IS NOT NULL, SUM(change) FROM (
                SELECT site, kind, status, ended_at, muted_by, 1 AS change FROM new_rows WHERE same_as IS NULL
                UNION ALL SELECT site, kind, status, ended_at, muted_by, -1 FROM old_rows WHERE same_as IS NULL
            ) AS changes GROUP BY 1, 2, 3, 4, 5 HAVING SUM(change) <> 0;
    END IF;
    IF txid_current() % 64 = 0 AND pg_try_advisory_xact_lock(7007) THEN
        WITH parts AS (DELETE FROM incident_tallies RETURNING *)
        INSERT INTO incident_tallies (site, kind, status, open, muted, incidents)
            SELECT site, kind, status, open, muted, SUM(incidents) FROM parts GROUP BY 1, 2, 3, 4, 5
            HAVING SUM(incidents) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_come AFTER INSERT ON incidents REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_incidents();
CREATE TRIGGER incidents_change AFTER UPDATE ON incidents REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_incidents();
CREATE TRIGGER incidents_go AFTER DELETE ON incidents REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_incidents();
