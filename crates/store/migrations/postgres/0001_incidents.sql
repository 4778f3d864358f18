-- Times are microseconds since 1970 (UTC). Names of choices are the ones of the wire (`started`, `new`, `cleared`).

-- Catalogue of kinds. The four that models flag are always there; an administrator can add others.
CREATE TABLE kinds (
    code TEXT PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    deadline_amount INTEGER NOT NULL,
    deadline_unit TEXT NOT NULL CHECK (deadline_unit IN ('hours', 'working_hours', 'days', 'working_days')),
    enabled BOOLEAN NOT NULL DEFAULT TRUE
);

INSERT INTO kinds (code, name_zh, name_en, deadline_amount, deadline_unit) VALUES
    ('rooftop_structure', '疑似楼顶违建', 'Suspected rooftop structure', 20, 'working_days'),
    ('occupied_roadway', '疑似占道', 'Suspected occupied roadway', 8, 'working_hours'),
    ('stray_dog', '疑似流浪犬只', 'Suspected stray dog', 8, 'working_hours'),
    ('misparked_ebike', '疑似电动车乱停放', 'Suspected misparked e-bike', 8, 'working_hours'),
    ('store_overflow', '越门经营', 'Store overflow', 8, 'working_hours'),
    ('street_vendor', '流动摊贩', 'Street vendor', 8, 'working_hours'),
    ('dumped_waste', '乱堆放', 'Dumped waste', 4, 'hours'),
    ('green_space_planting', '毁绿种菜', 'Planting in green space', 5, 'working_days'),
    ('charging_cable', '飞线充电', 'Charging cable from a window', 8, 'working_hours'),
    ('illegal_renovation', '违规装修', 'Illegal renovation', 4, 'working_hours');

-- Every event as it came, once. Nothing updates or deletes here.
CREATE TABLE incident_events (
    event_id UUID PRIMARY KEY,
    incident_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- Form of the document.
    version INTEGER NOT NULL,
    document JSONB NOT NULL
);
CREATE INDEX incident_events_of_incident ON incident_events (incident_id, sequence);

-- Present state of each incident: what its latest event (by sequence) says, and what people say.
CREATE TABLE incidents (
    incident_id UUID PRIMARY KEY,
    -- The event that this row shows.
    event_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    camera TEXT NOT NULL,
    preset TEXT,
    run UUID NOT NULL,
    rule TEXT NOT NULL,
    zone TEXT,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    phase TEXT NOT NULL,
    since BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT,
    label TEXT,
    track BIGINT,
    bbox JSONB NOT NULL,
    outline JSONB,
    count BIGINT NOT NULL,
    score REAL NOT NULL,
    covered REAL,
    -- When the center first heard of it.
    received_at BIGINT NOT NULL,
    -- People's side. No event touches it.
    status TEXT NOT NULL DEFAULT 'new',
    judged_by TEXT,
    judged_at BIGINT,
    reason TEXT
);
CREATE INDEX incidents_newest ON incidents (started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_kind ON incidents (kind, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_camera ON incidents (camera, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_site ON incidents (site, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_status ON incidents (status, started_at DESC, incident_id DESC);
CREATE INDEX incidents_open ON incidents (started_at DESC, incident_id DESC) WHERE ended_at IS NULL;

-- Index of the files that prove an incident; may come before the incident's first event.
CREATE TABLE evidence (
    incident_id UUID NOT NULL,
    role TEXT NOT NULL,
    path TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    camera TEXT NOT NULL,
    base_url TEXT,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (incident_id, role, path)
);

CREATE TABLE health_events (
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    camera TEXT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    run UUID,
    reconnects BIGINT NOT NULL,
    detail TEXT,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (site, node, camera, at, event)
);
CREATE INDEX health_events_newest ON health_events (at DESC);

CREATE TABLE cameras (
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    camera TEXT NOT NULL,
    name TEXT,
    state TEXT NOT NULL,
    at BIGINT NOT NULL,
    run UUID,
    reconnects BIGINT NOT NULL,
    detail TEXT,
    analysed_fps REAL,
    width BIGINT,
    height BIGINT,
    synthetic BOOLEAN NOT NULL,
    removed BOOLEAN NOT NULL,
    PRIMARY KEY (site, node, camera)
);

CREATE TABLE nodes (
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    online BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    version TEXT NOT NULL,
    base_url TEXT,
    cameras JSONB NOT NULL,
    PRIMARY KEY (site, node)
);

-- Who did what. Written in the transaction of the deed. Nothing updates or deletes here.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    detail JSONB NOT NULL
);
CREATE INDEX audit_of_subject ON audit (subject_kind, subject_id, id);

-- Payloads from the bus that are no messages, for an administrator.
CREATE TABLE dead_letters (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at BIGINT NOT NULL,
    topic TEXT NOT NULL,
    payload BYTEA NOT NULL,
    error TEXT NOT NULL
);
