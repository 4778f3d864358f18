-- Nodes that share cameras, and which of them watches which. Times are microseconds since 1970 by the database's clock.
CREATE TABLE lease_nodes (
    fleet TEXT NOT NULL,
    node TEXT NOT NULL,
    -- The program that goes by this name; another one waits until this one has run out.
    session BLOB NOT NULL,
    capacity REAL NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (fleet, node)
);

CREATE TABLE leases (
    fleet TEXT NOT NULL,
    camera TEXT NOT NULL,
    node TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (fleet, camera)
);

-- What a node takes over with a camera: few of all that ever were.
CREATE INDEX incidents_open_of_camera ON incidents (camera) WHERE ended_at IS NULL;
