-- What operators do not want to hear of for a while: one kind at one place of one view.
CREATE TABLE mutes (
    mute_id UUID PRIMARY KEY,
    site TEXT NOT NULL,
    camera TEXT NOT NULL,
    preset TEXT,
    kind TEXT NOT NULL,
    zone TEXT,
    bbox JSONB NOT NULL,
    -- The incident that it was made at.
    incident_id UUID NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    reason TEXT
);
CREATE INDEX mutes_in_force ON mutes (until);
-- The mute that keeps an incident out of the queue.
ALTER TABLE incidents ADD COLUMN muted_by UUID;

-- What is known of a site beside what its nodes say.
CREATE TABLE sites (
    site TEXT PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    households BIGINT,
    -- Its outline, buildings, zones and cameras as GeoJSON.
    plan JSONB
);
