-- A store of the first release (migration 0001 alone) with what it held, as `sqlite3 .dump` wrote it out. Not to be changed.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE kinds (
    code TEXT PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    deadline_amount INTEGER NOT NULL,
    deadline_unit TEXT NOT NULL CHECK (deadline_unit IN ('hours', 'working_hours', 'days', 'working_days')),
    enabled BOOLEAN NOT NULL DEFAULT TRUE
);
INSERT INTO kinds VALUES('rooftop_structure','疑似楼顶违建','Suspected rooftop structure',20,'working_days',1);
INSERT INTO kinds VALUES('occupied_roadway','疑似占道','Suspected occupied roadway',8,'working_hours',1);
INSERT INTO kinds VALUES('stray_dog','疑似流浪犬只','Suspected stray dog',8,'working_hours',1);
INSERT INTO kinds VALUES('misparked_ebike','疑似电动车乱停放','Suspected misparked e-bike',8,'working_hours',1);
INSERT INTO kinds VALUES('store_overflow','越门经营','Store overflow',8,'working_hours',1);
INSERT INTO kinds VALUES('street_vendor','流动摊贩','Street vendor',8,'working_hours',1);
INSERT INTO kinds VALUES('dumped_waste','乱堆放','Dumped waste',4,'hours',1);
INSERT INTO kinds VALUES('green_space_planting','毁绿种菜','Planting in green space',5,'working_days',1);
INSERT INTO kinds VALUES('charging_cable','飞线充电','Charging cable from a window',8,'working_hours',1);
INSERT INTO kinds VALUES('illegal_renovation','违规装修','Illegal renovation',4,'working_hours',1);
CREATE TABLE incident_events (
    event_id BLOB PRIMARY KEY,
    incident_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    -- Form of the document.
    version INTEGER NOT NULL,
    document TEXT NOT NULL
);
INSERT INTO incident_events VALUES(X'7aff79b2c5f552c1bbfe546e01fc8cfb',X'61b9e45de7a25224bb766956e8b35861',0,'harbour','north-1',1767225600000000,1767225601000000,1,'{"event_id":"7aff79b2-c5f5-52c1-bbfe-546e01fc8cfb","incident_id":"61b9e45d-e7a2-5224-bb76-6956e8b35861","sequence":0,"phase":"started","kind":"misparked_ebike","severity":"medium","camera":"gate-north","preset":null,"run":"5b7dbc72-515f-52a2-9a1a-6c32f3b721c6","rule":"keep-clear","zone":"bays","at":"2026-01-01T00:00:00Z","since":"2025-12-31T23:59:30Z","started_at":"2026-01-01T00:00:00Z","ended_at":null,"end_reason":null,"label":"bicycle","track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":1,"score":0.75,"covered":0.25}');
INSERT INTO incident_events VALUES(X'9cfde14a36fa5de19a1db69ff186eb25',X'61b9e45de7a25224bb766956e8b35861',1,'harbour','north-1',1767225660000000,1767225661000000,1,'{"event_id":"9cfde14a-36fa-5de1-9a1d-b69ff186eb25","incident_id":"61b9e45d-e7a2-5224-bb76-6956e8b35861","sequence":1,"phase":"updated","kind":"misparked_ebike","severity":"medium","camera":"gate-north","preset":null,"run":"5b7dbc72-515f-52a2-9a1a-6c32f3b721c6","rule":"keep-clear","zone":"bays","at":"2026-01-01T00:01:00Z","since":"2025-12-31T23:59:30Z","started_at":"2026-01-01T00:00:00Z","ended_at":null,"end_reason":null,"label":"bicycle","track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":2,"score":0.75,"covered":0.25}');
INSERT INTO incident_events VALUES(X'618b22d1612b536a8b148899f2f4a5b1',X'61b9e45de7a25224bb766956e8b35861',2,'harbour','north-1',1767225720000000,1767225721000000,1,'{"event_id":"618b22d1-612b-536a-8b14-8899f2f4a5b1","incident_id":"61b9e45d-e7a2-5224-bb76-6956e8b35861","sequence":2,"phase":"ended","kind":"misparked_ebike","severity":"medium","camera":"gate-north","preset":null,"run":"5b7dbc72-515f-52a2-9a1a-6c32f3b721c6","rule":"keep-clear","zone":"bays","at":"2026-01-01T00:02:00Z","since":"2025-12-31T23:59:30Z","started_at":"2026-01-01T00:00:00Z","ended_at":"2026-01-01T00:01:59.500000Z","end_reason":"cleared","label":"bicycle","track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":3,"score":0.75,"covered":0.25}');
INSERT INTO incident_events VALUES(X'b4475d35aebf5396bc023b5290c8d1cd',X'193fa2f8f2bc50688a0508ae87d9ec9c',0,'harbour','north-1',1767229200000000,1767229201000000,1,'{"event_id":"b4475d35-aebf-5396-bc02-3b5290c8d1cd","incident_id":"193fa2f8-f2bc-5068-8a05-08ae87d9ec9c","sequence":0,"phase":"started","kind":"stray_dog","severity":"medium","camera":"yard-2","preset":null,"run":"8547d326-e80a-5df3-aa0f-ba1f65f09c5b","rule":"keep-clear","zone":null,"at":"2026-01-01T01:00:00Z","since":"2026-01-01T00:59:30Z","started_at":"2026-01-01T01:00:00Z","ended_at":null,"end_reason":null,"label":"dog","track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":1,"score":0.75,"covered":0.25}');
INSERT INTO incident_events VALUES(X'ea4723fa8e6351ef98d0bbfa8521dc88',X'193fa2f8f2bc50688a0508ae87d9ec9c',1,'harbour','north-1',1767229260000000,1767229261000000,1,'{"event_id":"ea4723fa-8e63-51ef-98d0-bbfa8521dc88","incident_id":"193fa2f8-f2bc-5068-8a05-08ae87d9ec9c","sequence":1,"phase":"updated","kind":"stray_dog","severity":"medium","camera":"yard-2","preset":null,"run":"8547d326-e80a-5df3-aa0f-ba1f65f09c5b","rule":"keep-clear","zone":null,"at":"2026-01-01T01:01:00Z","since":"2026-01-01T00:59:30Z","started_at":"2026-01-01T01:00:00Z","ended_at":null,"end_reason":null,"label":"dog","track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":2,"score":0.75,"covered":0.25}');
INSERT INTO incident_events VALUES(X'6407da922067546689b1adcf7916aec6',X'193fa2f8f2bc50688a0508ae87d9ec9c',2,'harbour','north-1',1767229320000000,1767229321000000,1,'{"event_id":"6407da92-2067-5466-89b1-adcf7916aec6","incident_id":"193fa2f8-f2bc-5068-8a05-08ae87d9ec9c","sequence":2,"phase":"ended","kind":"stray_dog","severity":"medium","camera":"yard-2","preset":null,"run":"8547d326-e80a-5df3-aa0f-ba1f65f09c5b","rule":"keep-clear","zone":null,"at":"2026-01-01T01:02:00Z","since":"2026-01-01T00:59:30Z","started_at":"2026-01-01T01:00:00Z","ended_at":"2026-01-01T01:01:59.500000Z","end_reason":"cleared","label":"dog","track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":3,"score":0.75,"covered":0.25}');
INSERT INTO incident_events VALUES(X'1822632120b5553da5ab5711a54b65a3',X'9d336217a42c5781872790784d9b1ae6',0,'harbour','north-1',1767232800000000,1767232801000000,1,'{"event_id":"18226321-20b5-553d-a5ab-5711a54b65a3","incident_id":"9d336217-a42c-5781-8727-90784d9b1ae6","sequence":0,"phase":"started","kind":"rooftop_structure","severity":"medium","camera":"tower","preset":null,"run":"177a9d78-1a9b-5502-98c6-1655e66c95e8","rule":"keep-clear","zone":"roof-3","at":"2026-01-01T02:00:00Z","since":"2026-01-01T01:59:30Z","started_at":"2026-01-01T02:00:00Z","ended_at":null,"end_reason":null,"label":null,"track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":1,"score":0.75,"covered":0.25}');
INSERT INTO incident_events VALUES(X'd8de04b2601a5b9c8f9809ccde9cc5b3',X'9d336217a42c5781872790784d9b1ae6',1,'harbour','north-1',1767232860000000,1767232861000000,1,'{"event_id":"d8de04b2-601a-5b9c-8f98-09ccde9cc5b3","incident_id":"9d336217-a42c-5781-8727-90784d9b1ae6","sequence":1,"phase":"updated","kind":"rooftop_structure","severity":"medium","camera":"tower","preset":null,"run":"177a9d78-1a9b-5502-98c6-1655e66c95e8","rule":"keep-clear","zone":"roof-3","at":"2026-01-01T02:01:00Z","since":"2026-01-01T01:59:30Z","started_at":"2026-01-01T02:00:00Z","ended_at":null,"end_reason":null,"label":null,"track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":2,"score":0.75,"covered":0.25}');
INSERT INTO incident_events VALUES(X'1b90f9849e9d52faafea3b5eb19b884d',X'9d336217a42c5781872790784d9b1ae6',2,'harbour','north-1',1767232920000000,1767232921000000,1,'{"event_id":"1b90f984-9e9d-52fa-afea-3b5eb19b884d","incident_id":"9d336217-a42c-5781-8727-90784d9b1ae6","sequence":2,"phase":"ended","kind":"rooftop_structure","severity":"medium","camera":"tower","preset":null,"run":"177a9d78-1a9b-5502-98c6-1655e66c95e8","rule":"keep-clear","zone":"roof-3","at":"2026-01-01T02:02:00Z","since":"2026-01-01T01:59:30Z","started_at":"2026-01-01T02:00:00Z","ended_at":"2026-01-01T02:01:59.500000Z","end_reason":"cleared","label":null,"track":7,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":3,"score":0.75,"covered":0.25}');
CREATE TABLE incidents (
    incident_id BLOB PRIMARY KEY,
    -- The event that this row shows.
    event_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    camera TEXT NOT NULL,
    preset TEXT,
    run BLOB NOT NULL,
    rule TEXT NOT NULL,
    zone TEXT,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    phase TEXT NOT NULL,
    since INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT,
    label TEXT,
    track INTEGER,
    bbox TEXT NOT NULL,
    outline TEXT,
    count INTEGER NOT NULL,
    score REAL NOT NULL,
    covered REAL,
    -- When the center first heard of it.
    received_at INTEGER NOT NULL,
    -- People's side. No event touches it.
    status TEXT NOT NULL DEFAULT 'new',
    judged_by TEXT,
    judged_at INTEGER,
    reason TEXT
);
INSERT INTO incidents VALUES(X'61b9e45de7a25224bb766956e8b35861',X'618b22d1612b536a8b148899f2f4a5b1',2,'harbour','north-1','gate-north',NULL,X'5b7dbc72515f52a29a1a6c32f3b721c6','keep-clear','bays','misparked_ebike','medium','ended',1767225570000000,1767225600000000,1767225720000000,1767225719500000,'cleared','bicycle',7,'[0.1,0.2,0.55,0.7]',NULL,3,0.75,0.25,1767225601000000,'new',NULL,NULL,NULL);
INSERT INTO incidents VALUES(X'193fa2f8f2bc50688a0508ae87d9ec9c',X'6407da922067546689b1adcf7916aec6',2,'harbour','north-1','yard-2',NULL,X'8547d326e80a5df3aa0fba1f65f09c5b','keep-clear',NULL,'stray_dog','medium','ended',1767229170000000,1767229200000000,1767229320000000,1767229319500000,'cleared','dog',7,'[0.1,0.2,0.55,0.7]',NULL,3,0.75,0.25,1767229201000000,'dismissed','li-wei',1767230100000000,'permitted: 业主的导盲犬');
INSERT INTO incidents VALUES(X'9d336217a42c5781872790784d9b1ae6',X'1b90f9849e9d52faafea3b5eb19b884d',2,'harbour','north-1','tower',NULL,X'177a9d781a9b550298c61655e66c95e8','keep-clear','roof-3','rooftop_structure','medium','ended',1767232770000000,1767232800000000,1767232920000000,1767232919500000,'cleared',NULL,7,'[0.1,0.2,0.55,0.7]',NULL,3,0.75,0.25,1767232801000000,'confirmed','wang-fang',1767233700000000,NULL);
CREATE TABLE evidence (
    incident_id BLOB NOT NULL,
    role TEXT NOT NULL,
    path TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    camera TEXT NOT NULL,
    base_url TEXT,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (incident_id, role, path)
);
INSERT INTO evidence VALUES(X'61b9e45de7a25224bb766956e8b35861','snapshot','gate-north/snapshot.jpg','image/jpeg',81234,'204b065c28227854690a5177e83815e0c9364f05edb1507e1530c24b4749c4ae','harbour','north-1','gate-north','http://192.0.2.7/evidence/',1767225720000000,1767225720000001);
INSERT INTO evidence VALUES(X'61b9e45de7a25224bb766956e8b35861','clip','gate-north/clip.mp4','video/mp4',81234,'e73651a9c2fa938e4bc5b45439b91b08248202042ae6b9912278c951c4f08cec','harbour','north-1','gate-north','http://192.0.2.7/evidence/',1767225720000000,1767225720000001);
INSERT INTO evidence VALUES(X'193fa2f8f2bc50688a0508ae87d9ec9c','snapshot','yard-2/snapshot.jpg','image/jpeg',81234,'fa5081b1909a6a5e620e24b8f51a27744bf7d0aa5eec9cd2b26770228b224f4d','harbour','north-1','yard-2','http://192.0.2.7/evidence/',1767229320000000,1767229320000001);
INSERT INTO evidence VALUES(X'193fa2f8f2bc50688a0508ae87d9ec9c','clip','yard-2/clip.mp4','video/mp4',81234,'f4488c0ba5eabff72eb50227e4a3b7f849b49558af39bcabc93076099ee66941','harbour','north-1','yard-2','http://192.0.2.7/evidence/',1767229320000000,1767229320000001);
INSERT INTO evidence VALUES(X'9d336217a42c5781872790784d9b1ae6','snapshot','tower/snapshot.jpg','image/jpeg',81234,'d1444b3a86bb0b8c125fb00394139c5a0a956c25cf09235cb3fd9c412568a8a9','harbour','north-1','tower','http://192.0.2.7/evidence/',1767232920000000,1767232920000001);
INSERT INTO evidence VALUES(X'9d336217a42c5781872790784d9b1ae6','clip','tower/clip.mp4','video/mp4',81234,'eb33915df170010beed02be14396703ff88856e25514316e16a6075aeabf2df1','harbour','north-1','tower','http://192.0.2.7/evidence/',1767232920000000,1767232920000001);
CREATE TABLE health_events (
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    camera TEXT NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    run BLOB,
    reconnects INTEGER NOT NULL,
    detail TEXT,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (site, node, camera, at, event)
);
INSERT INTO health_events VALUES('harbour','north-1','yard-2',1767225600000000,'silent','offline',NULL,3,'no frame for 5 s',1767225600000001);
CREATE TABLE cameras (
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    camera TEXT NOT NULL,
    name TEXT,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    run BLOB,
    reconnects INTEGER NOT NULL,
    detail TEXT,
    analysed_fps REAL,
    width INTEGER,
    height INTEGER,
    synthetic BOOLEAN NOT NULL,
    removed BOOLEAN NOT NULL,
    PRIMARY KEY (site, node, camera)
);
INSERT INTO cameras VALUES('harbour','north-1','gate-north','北门','streaming',1767225600000000,NULL,0,NULL,4.9000000000000003552,1280,720,0,0);
CREATE TABLE nodes (
    site TEXT NOT NULL,
    node TEXT NOT NULL,
    online BOOLEAN NOT NULL,
    at INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    version TEXT NOT NULL,
    base_url TEXT,
    cameras TEXT NOT NULL,
    PRIMARY KEY (site, node)
);
INSERT INTO nodes VALUES('harbour','north-1',1,1767225600000000,1767225599999995,'0.1.0','http://192.0.2.7/','["gate-north","yard-2","tower"]');
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    detail TEXT NOT NULL
);
INSERT INTO audit VALUES(1,1767230100000000,'li-wei','incident.status','incident','193fa2f8-f2bc-5068-8a05-08ae87d9ec9c','{"from":"new","to":"dismissed","reason":"permitted: 业主的导盲犬"}');
INSERT INTO audit VALUES(2,1767233700000000,'wang-fang','incident.status','incident','9d336217-a42c-5781-8727-90784d9b1ae6','{"from":"new","to":"confirmed","reason":null}');
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    error TEXT NOT NULL
);
INSERT INTO dead_letters VALUES(1,1767225600000000,'parapet/v1/x',X'6e6f','not a message');
CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
INSERT INTO _sqlx_migrations VALUES(1,'incidents','2026-11-22 15:09:52',1,X'8e139e7d1e658f032a041278f61e6f29e28357fe63fc8c9d73ecac027ceab219a5b7e8eb7c2aa16f5fc768a69c491cfb',1000000);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('audit',2);
INSERT INTO sqlite_sequence VALUES('dead_letters',1);
CREATE INDEX incident_events_of_incident ON incident_events (incident_id, sequence);
CREATE INDEX incidents_newest ON incidents (started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_kind ON incidents (kind, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_camera ON incidents (camera, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_site ON incidents (site, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_status ON incidents (status, started_at DESC, incident_id DESC);
CREATE INDEX incidents_open ON incidents (started_at DESC, incident_id DESC) WHERE ended_at IS NULL;
CREATE INDEX health_events_newest ON health_events (at DESC);
CREATE INDEX audit_of_subject ON audit (subject_kind, subject_id, id);
COMMIT;
