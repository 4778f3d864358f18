-- A store of the first release (migration 0001 alone) with what it held, as `pg_dump --inserts` wrote it out. Not to be changed.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    detail jsonb NOT NULL
);
ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.cameras (
    site text NOT NULL,
    node text NOT NULL,
    camera text NOT NULL,
    name text,
    state text NOT NULL,
    at bigint NOT NULL,
    run uuid,
    reconnects bigint NOT NULL,
    detail text,
    analysed_fps real,
    width bigint,
    height bigint,
    synthetic boolean NOT NULL,
    removed boolean NOT NULL
);
CREATE TABLE public.dead_letters (
    id bigint NOT NULL,
    received_at bigint NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    error text NOT NULL
);
ALTER TABLE public.dead_letters ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.evidence (
    incident_id uuid NOT NULL,
    role text NOT NULL,
    path text NOT NULL,
    media_type text NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    site text NOT NULL,
    node text NOT NULL,
    camera text NOT NULL,
    base_url text,
    at bigint NOT NULL,
    received_at bigint NOT NULL
);
CREATE TABLE public.health_events (
    site text NOT NULL,
    node text NOT NULL,
    camera text NOT NULL,
    at bigint NOT NULL,
    event text NOT NULL,
    state text NOT NULL,
    run uuid,
    reconnects bigint NOT NULL,
    detail text,
    received_at bigint NOT NULL
);
CREATE TABLE public.incident_events (
    event_id uuid NOT NULL,
    incident_id uuid NOT NULL,
    sequence bigint NOT NULL,
    site text NOT NULL,
    node text NOT NULL,
    at bigint NOT NULL,
    received_at bigint NOT NULL,
    version integer NOT NULL,
    document jsonb NOT NULL
);
CREATE TABLE public.incidents (
    incident_id uuid NOT NULL,
    event_id uuid NOT NULL,
    sequence bigint NOT NULL,
    site text NOT NULL,
    node text NOT NULL,
    camera text NOT NULL,
    preset text,
    run uuid NOT NULL,
    rule text NOT NULL,
    zone text,
    kind text NOT NULL,
    severity text NOT NULL,
    phase text NOT NULL,
    since bigint NOT NULL,
    started_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    ended_at bigint,
    end_reason text,
    label text,
    track bigint,
    bbox jsonb NOT NULL,
    outline jsonb,
    count bigint NOT NULL,
    score real NOT NULL,
    covered real,
    received_at bigint NOT NULL,
    status text DEFAULT 'new'::text NOT NULL,
    judged_by text,
    judged_at bigint,
    reason text
);
CREATE TABLE public.kinds (
    code text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    deadline_amount integer NOT NULL,
    deadline_unit text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    CONSTRAINT kinds_deadline_unit_check CHECK ((deadline_unit = ANY (ARRAY['hours'::text, 'working_hours'::text, 'days'::text, 'working_days'::text])))
);
CREATE TABLE public.nodes (
    site text NOT NULL,
    node text NOT NULL,
    online boolean NOT NULL,
    at bigint NOT NULL,
    started_at bigint NOT NULL,
    version text NOT NULL,
    base_url text,
    cameras jsonb NOT NULL
);
INSERT INTO public._sqlx_migrations VALUES (1, 'incidents', '2026-11-22 15:09:53.445152+00', true, '\xe4275f601c22852c1e1ebd4e61c8a4d92068974e2765d75263a0b935eb9b0fb390259c022567419cbd49d1b442a29bd5', 1000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (1, 1767230100000000, 'li-wei', 'incident.status', 'incident', '193fa2f8-f2bc-5068-8a05-08ae87d9ec9c', '{"to": "dismissed", "from": "new", "reason": "permitted: 业主的导盲犬"}');
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (2, 1767233700000000, 'wang-fang', 'incident.status', 'incident', '9d336217-a42c-5781-8727-90784d9b1ae6', '{"to": "confirmed", "from": "new", "reason": null}');
INSERT INTO public.cameras VALUES ('harbour', 'north-1', 'gate-north', '北门', 'streaming', 1767225600000000, NULL, 0, NULL, 4.9, 1280, 720, false, false);
INSERT INTO public.dead_letters OVERRIDING SYSTEM VALUE VALUES (1, 1767225600000000, 'parapet/v1/x', '\x6e6f', 'not a message');
INSERT INTO public.evidence VALUES ('61b9e45d-e7a2-5224-bb76-6956e8b35861', 'snapshot', 'gate-north/snapshot.jpg', 'image/jpeg', 81234, '204b065c28227854690a5177e83815e0c9364f05edb1507e1530c24b4749c4ae', 'harbour', 'north-1', 'gate-north', 'http://192.0.2.7/evidence/', 1767225720000000, 1767225720000001);
INSERT INTO public.evidence VALUES ('61b9e45d-e7a2-5224-bb76-6956e8b35861', 'clip', 'gate-north/clip.mp4', 'video/mp4', 81234, 'e73651a9c2fa938e4bc5b45439b91b08248202042ae6b9912278c951c4f08cec', 'harbour', 'north-1', 'gate-north', 'http://192.0.2.7/evidence/', 1767225720000000, 1767225720000001);
INSERT INTO public.evidence VALUES ('193fa2f8-f2bc-5068-8a05-08ae87d9ec9c', 'snapshot', 'yard-2/snapshot.jpg', 'image/jpeg', 81234, 'fa5081b1909a6a5e620e24b8f51a27744bf7d0aa5eec9cd2b26770228b224f4d', 'harbour', 'north-1', 'yard-2', 'http://192.0.2.7/evidence/', 1767229320000000, 1767229320000001);
INSERT INTO public.evidence VALUES ('193fa2f8-f2bc-5068-8a05-08ae87d9ec9c', 'clip', 'yard-2/clip.mp4', 'video/mp4', 81234, 'f4488c0ba5eabff72eb50227e4a3b7f849b49558af39bcabc93076099ee66941', 'harbour', 'north-1', 'yard-2', 'http://192.0.2.7/evidence/', 1767229320000000, 1767229320000001);
INSERT INTO public.evidence VALUES ('9d336217-a42c-5781-8727-90784d9b1ae6', 'snapshot', 'tower/snapshot.jpg', 'image/jpeg', 81234, 'd1444b3a86bb0b8c125fb00394139c5a0a956c25cf09235cb3fd9c412568a8a9', 'harbour', 'north-1', 'tower', 'http://192.0.2.7/evidence/', 1767232920000000, 1767232920000001);
INSERT INTO public.evidence VALUES ('9d336217-a42c-5781-8727-90784d9b1ae6', 'clip', 'tower/clip.mp4', 'video/mp4', 81234, 'eb33915df170010beed02be14396703ff88856e25514316e16a6075aeabf2df1', 'harbour', 'north-1', 'tower', 'http://192.0.2.7/evidence/', 1767232920000000, 1767232920000001);
INSERT INTO public.health_events VALUES ('harbour', 'north-1', 'yard-2', 1767225600000000, 'silent', 'offline', NULL, 3, 'no frame for 5 s', 1767225600000001);
INSERT INTO public.incident_events VALUES ('7aff79b2-c5f5-52c1-bbfe-546e01fc8cfb', '61b9e45d-e7a2-5224-bb76-6956e8b35861', 0, 'harbour', 'north-1', 1767225600000000, 1767225601000000, 1, '{"at": "2026-01-01T00:00:00Z", "run": "5b7dbc72-515f-52a2-9a1a-6c32f3b721c6", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "misparked_ebike", "rule": "keep-clear", "zone": "bays", "count": 1, "label": "bicycle", "phase": "started", "score": 0.75, "since": "2025-12-31T23:59:30Z", "track": 7, "camera": "gate-north", "preset": null, "covered": 0.25, "outline": null, "ended_at": null, "event_id": "7aff79b2-c5f5-52c1-bbfe-546e01fc8cfb", "sequence": 0, "severity": "medium", "end_reason": null, "started_at": "2026-01-01T00:00:00Z", "incident_id": "61b9e45d-e7a2-5224-bb76-6956e8b35861"}');
INSERT INTO public.incident_events VALUES ('9cfde14a-36fa-5de1-9a1d-b69ff186eb25', '61b9e45d-e7a2-5224-bb76-6956e8b35861', 1, 'harbour', 'north-1', 1767225660000000, 1767225661000000, 1, '{"at": "2026-01-01T00:01:00Z", "run": "5b7dbc72-515f-52a2-9a1a-6c32f3b721c6", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "misparked_ebike", "rule": "keep-clear", "zone": "bays", "count": 2, "label": "bicycle", "phase": "updated", "score": 0.75, "since": "2025-12-31T23:59:30Z", "track": 7, "camera": "gate-north", "preset": null, "covered": 0.25, "outline": null, "ended_at": null, "event_id": "9cfde14a-36fa-5de1-9a1d-b69ff186eb25", "sequence": 1, "severity": "medium", "end_reason": null, "started_at": "2026-01-01T00:00:00Z", "incident_id": "61b9e45d-e7a2-5224-bb76-6956e8b35861"}');
INSERT INTO public.incident_events VALUES ('618b22d1-612b-536a-8b14-8899f2f4a5b1', '61b9e45d-e7a2-5224-bb76-6956e8b35861', 2, 'harbour', 'north-1', 1767225720000000, 1767225721000000, 1, '{"at": "2026-01-01T00:02:00Z", "run": "5b7dbc72-515f-52a2-9a1a-6c32f3b721c6", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "misparked_ebike", "rule": "keep-clear", "zone": "bays", "count": 3, "label": "bicycle", "phase": "ended", "score": 0.75, "since": "2025-12-31T23:59:30Z", "track": 7, "camera": "gate-north", "preset": null, "covered": 0.25, "outline": null, "ended_at": "2026-01-01T00:01:59.500000Z", "event_id": "618b22d1-612b-536a-8b14-8899f2f4a5b1", "sequence": 2, "severity": "medium", "end_reason": "cleared", "started_at": "2026-01-01T00:00:00Z", "incident_id": "61b9e45d-e7a2-5224-bb76-6956e8b35861"}');
INSERT INTO public.incident_events VALUES ('b4475d35-aebf-5396-bc02-3b5290c8d1cd', '193fa2f8-f2bc-5068-8a05-08ae87d9ec9c', 0, 'harbour', 'north-1', 1767229200000000, 1767229201000000, 1, '{"at": "2026-01-01T01:00:00Z", "run": "8547d326-e80a-5df3-aa0f-ba1f65f09c5b", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "stray_dog", "rule": "keep-clear", "zone": null, "count": 1, "label": "dog", "phase": "started", "score": 0.75, "since": "2026-01-01T00:59:30Z", "track": 7, "camera": "yard-2", "preset": null, "covered": 0.25, "outline": null, "ended_at": null, "event_id": "b4475d35-aebf-5396-bc02-3b5290c8d1cd", "sequence": 0, "severity": "medium", "end_reason": null, "started_at": "2026-01-01T01:00:00Z", "incident_id": "193fa2f8-f2bc-5068-8a05-08ae87d9ec9c"}');
INSERT INTO public.incident_events VALUES ('ea4723fa-8e63-51ef-98d0-bbfa8521dc88', '193fa2f8-f2bc-5068-8a05-08ae87d9ec9c', 1, 'harbour', 'north-1', 1767229260000000, 1767229261000000, 1, '{"at": "2026-01-01T01:01:00Z", "run": "8547d326-e80a-5df3-aa0f-ba1f65f09c5b", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "stray_dog", "rule": "keep-clear", "zone": null, "count": 2, "label": "dog", "phase": "updated", "score": 0.75, "since": "2026-01-01T00:59:30Z", "track": 7, "camera": "yard-2", "preset": null, "covered": 0.25, "outline": null, "ended_at": null, "event_id": "ea4723fa-8e63-51ef-98d0-bbfa8521dc88", "sequence": 1, "severity": "medium", "end_reason": null, "started_at": "2026-01-01T01:00:00Z", "incident_id": "193fa2f8-f2bc-5068-8a05-08ae87d9ec9c"}');
INSERT INTO public.incident_events VALUES ('6407da92-2067-5466-89b1-adcf7916aec6', '193fa2f8-f2bc-5068-8a05-08ae87d9ec9c', 2, 'harbour', 'north-1', 1767229320000000, 1767229321000000, 1, '{"at": "2026-01-01T01:02:00Z", "run": "8547d326-e80a-5df3-aa0f-ba1f65f09c5b", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "stray_dog", "rule": "keep-clear", "zone": null, "count": 3, "label": "dog", "phase": "ended", "score": 0.75, "since": "2026-01-01T00:59:30Z", "track": 7, "camera": "yard-2", "preset": null, "covered": 0.25, "outline": null, "ended_at": "2026-01-01T01:01:59.500000Z", "event_id": "6407da92-2067-5466-89b1-adcf7916aec6", "sequence": 2, "severity": "medium", "end_reason": "cleared", "started_at": "2026-01-01T01:00:00Z", "incident_id": "193fa2f8-f2bc-5068-8a05-08ae87d9ec9c"}');
INSERT INTO public.incident_events VALUES ('18226321-20b5-553d-a5ab-5711a54b65a3', '9d336217-a42c-5781-8727-90784d9b1ae6', 0, 'harbour', 'north-1', 1767232800000000, 1767232801000000, 1, '{"at": "2026-01-01T02:00:00Z", "run": "177a9d78-1a9b-5502-98c6-1655e66c95e8", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "rooftop_structure", "rule": "keep-clear", "zone": "roof-3", "count": 1, "label": null, "phase": "started", "score": 0.75, "since": "2026-01-01T01:59:30Z", "track": 7, "camera": "tower", "preset": null, "covered": 0.25, "outline": null, "ended_at": null, "event_id": "18226321-20b5-553d-a5ab-5711a54b65a3", "sequence": 0, "severity": "medium", "end_reason": null, "started_at": "2026-01-01T02:00:00Z", "incident_id": "9d336217-a42c-5781-8727-90784d9b1ae6"}');
INSERT INTO public.incident_events VALUES ('d8de04b2-601a-5b9c-8f98-09ccde9cc5b3', '9d336217-a42c-5781-8727-90784d9b1ae6', 1, 'harbour', 'north-1', 1767232860000000, 1767232861000000, 1, '{"at": "2026-01-01T02:01:00Z", "run": "177a9d78-1a9b-5502-98c6-1655e66c95e8", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "rooftop_structure", "rule": "keep-clear", "zone": "roof-3", "count": 2, "label": null, "phase": "updated", "score": 0.75, "since": "2026-01-01T01:59:30Z", "track": 7, "camera": "tower", "preset": null, "covered": 0.25, "outline": null, "ended_at": null, "event_id": "d8de04b2-601a-5b9c-8f98-09ccde9cc5b3", "sequence": 1, "severity": "medium", "end_reason": null, "started_at": "2026-01-01T02:00:00Z", "incident_id": "9d336217-a42c-5781-8727-90784d9b1ae6"}');
INSERT INTO public.incident_events VALUES ('1b90f984-9e9d-52fa-afea-3b5eb19b884d', '9d336217-a42c-5781-8727-90784d9b1ae6', 2, 'harbour', 'north-1', 1767232920000000, 1767232921000000, 1, '{"at": "2026-01-01T02:02:00Z", "run": "177a9d78-1a9b-5502-98c6-1655e66c95e8", "bbox": [0.1, 0.2, 0.55, 0.7], "kind": "rooftop_structure", "rule": "keep-clear", "zone": "roof-3", "count": 3, "label": null, "phase": "ended", "score": 0.75, "since": "2026-01-01T01:59:30Z", "track": 7, "camera": "tower", "preset": null, "covered": 0.25, "outline": null, "ended_at": "2026-01-01T02:01:59.500000Z", "event_id": "1b90f984-9e9d-52fa-afea-3b5eb19b884d", "sequence": 2, "severity": "medium", "end_reason": "cleared", "started_at": "2026-01-01T02:00:00Z", "incident_id": "9d336217-a42c-5781-8727-90784d9b1ae6"}');
INSERT INTO public.incidents VALUES ('61b9e45d-e7a2-5224-bb76-6956e8b35861', '618b22d1-612b-536a-8b14-8899f2f4a5b1', 2, 'harbour', 'north-1', 'gate-north', NULL, '5b7dbc72-515f-52a2-9a1a-6c32f3b721c6', 'keep-clear', 'bays', 'misparked_ebike', 'medium', 'ended', 1767225570000000, 1767225600000000, 1767225720000000, 1767225719500000, 'cleared', 'bicycle', 7, '[0.1, 0.2, 0.55, 0.7]', NULL, 3, 0.75, 0.25, 1767225601000000, 'new', NULL, NULL, NULL);
INSERT INTO public.incidents VALUES ('193fa2f8-f2bc-5068-8a05-08ae87d9ec9c', '6407da92-2067-5466-89b1-adcf7916aec6', 2, 'harbour', 'north-1', 'yard-2', NULL, '8547d326-e80a-5df3-aa0f-ba1f65f09c5b', 'keep-clear', NULL, 'stray_dog', 'medium', 'ended', 1767229170000000, 1767229200000000, 1767229320000000, 1767229319500000, 'cleared', 'dog', 7, '[0.1, 0.2, 0.55, 0.7]', NULL, 3, 0.75, 0.25, 1767229201000000, 'dismissed', 'li-wei', 1767230100000000, 'permitted: 业主的导盲犬');
INSERT INTO public.incidents VALUES ('9d336217-a42c-5781-8727-90784d9b1ae6', '1b90f984-9e9d-52fa-afea-3b5eb19b884d', 2, 'harbour', 'north-1', 'tower', NULL, '177a9d78-1a9b-5502-98c6-1655e66c95e8', 'keep-clear', 'roof-3', 'rooftop_structure', 'medium', 'ended', 1767232770000000, 1767232800000000, 1767232920000000, 1767232919500000, 'cleared', NULL, 7, '[0.1, 0.2, 0.55, 0.7]', NULL, 3, 0.75, 0.25, 1767232801000000, 'confirmed', 'wang-fang', 1767233700000000, NULL);
INSERT INTO public.kinds VALUES ('rooftop_structure', '疑似楼顶违建', 'Suspected rooftop structure', 20, 'working_days', true);
INSERT INTO public.kinds VALUES ('occupied_roadway', '疑似占道', 'Suspected occupied roadway', 8, 'working_hours', true);
INSERT INTO public.kinds VALUES ('stray_dog', '疑似流浪犬只', 'Suspected stray dog', 8, 'working_hours', true);
INSERT INTO public.kinds VALUES ('misparked_ebike', '疑似电动车乱停放', 'Suspected misparked e-bike', 8, 'working_hours', true);
INSERT INTO public.kinds VALUES ('store_overflow', '越门经营', 'Store overflow', 8, 'working_hours', true);
INSERT INTO public.kinds VALUES ('street_vendor', '流动摊贩', 'Street vendor', 8, 'working_hours', true);
INSERT INTO public.kinds VALUES ('dumped_waste', '乱堆放', 'Dumped waste', 4, 'hours', true);
INSERT INTO public.kinds VALUES ('green_space_planting', '毁绿种菜', 'Planting in green space', 5, 'working_days', true);
INSERT INTO public.kinds VALUES ('charging_cable', '飞线充电', 'Charging cable from a window', 8, 'working_hours', true);
INSERT INTO public.kinds VALUES ('illegal_renovation', '违规装修', 'Illegal renovation', 4, 'working_hours', true);
INSERT INTO public.nodes VALUES ('harbour', 'north-1', true, 1767225600000000, 1767225599999995, '0.1.0', 'http://192.0.2.7/', '["gate-north", "yard-2", "tower"]');
SELECT pg_catalog.setval('public.audit_id_seq', 2, true);
SELECT pg_catalog.setval('public.dead_letters_id_seq', 1, true);
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.cameras
    ADD CONSTRAINT cameras_pkey PRIMARY KEY (site, node, camera);
ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_pkey PRIMARY KEY (incident_id, role, path);
ALTER TABLE ONLY public.health_events
    ADD CONSTRAINT health_events_pkey PRIMARY KEY (site, node, camera, at, event);
ALTER TABLE ONLY public.incident_events
    ADD CONSTRAINT incident_events_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_pkey PRIMARY KEY (incident_id);
ALTER TABLE ONLY public.kinds
    ADD CONSTRAINT kinds_pkey PRIMARY KEY (code);
ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (site, node);
CREATE INDEX audit_of_subject ON public.audit USING btree (subject_kind, subject_id, id);
CREATE INDEX health_events_newest ON public.health_events USING btree (at DESC);
CREATE INDEX incident_events_of_incident ON public.incident_events USING btree (incident_id, sequence);
CREATE INDEX incidents_newest ON public.incidents USING btree (started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_camera ON public.incidents USING btree (camera, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_kind ON public.incidents USING btree (kind, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_site ON public.incidents USING btree (site, started_at DESC, incident_id DESC);
CREATE INDEX incidents_of_status ON public.incidents USING btree (status, started_at DESC, incident_id DESC);
CREATE INDEX incidents_open ON public.incidents USING btree (started_at DESC, incident_id DESC) WHERE (ended_at IS NULL);
