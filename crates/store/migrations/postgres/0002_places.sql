-- Where on the earth an incident is: as the event says it, and its coordinates apart for the search of one place.
ALTER TABLE incidents ADD COLUMN place JSONB;
ALTER TABLE incidents ADD COLUMN latitude DOUBLE PRECISION;
ALTER TABLE incidents ADD COLUMN longitude DOUBLE PRECISION;
-- The incident that this one is another sighting of: the same thing, seen by another camera or drone before.
ALTER TABLE incidents ADD COLUMN same_as UUID;
CREATE INDEX incidents_at_place ON incidents (site, kind, latitude) WHERE latitude IS NOT NULL AND same_as IS NULL;
CREATE INDEX incidents_same_as ON incidents (same_as) WHERE same_as IS NOT NULL;

-- What surveys have told of each roof, as the node that keeps them said it last.
CREATE TABLE roofs (
    site TEXT NOT NULL,
    building TEXT NOT NULL,
    node TEXT NOT NULL,
    at BIGINT NOT NULL,
    document JSONB NOT NULL,
    PRIMARY KEY (site, building)
);
