-- Whether an incident is another sighting of one that is open or has just ended: few of all that ever were at a place.
CREATE INDEX incidents_lately ON incidents (site, kind, COALESCE(ended_at, 9223372036854775807))
    WHERE latitude IS NOT NULL AND same_as IS NULL;
