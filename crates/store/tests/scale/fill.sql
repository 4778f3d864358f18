-- A million incidents of three years, 40 sites and 2,000 cameras (the lower its number, the busier it is), and their events.
-- `«…»` is what the databases say differently; tests/scale.rs puts it in.
INSERT INTO incidents (incident_id, event_id, sequence, site, node, camera, run, rule, zone, kind, severity, phase, since,
    started_at, updated_at, ended_at, end_reason, label, track, bbox, count, score, covered, place, latitude, longitude,
    same_as, muted_by, case_id, received_at, status, judged_by, judged_at, reason)
SELECT «id:'i' || «pad:15:n»», «id:'e' || «pad:11:n» || '0009'», 9, 'compound-' || «pad:2:c / 50», 'node-' || «pad:3:c / 20»,
    CASE c % 10 WHEN 0 THEN 'gate' WHEN 1 THEN 'roof' WHEN 2 THEN 'lane' WHEN 3 THEN 'yard' WHEN 4 THEN 'street'
        WHEN 5 THEN 'garage' WHEN 6 THEN 'bridge' WHEN 7 THEN 'market' WHEN 8 THEN 'canal' ELSE 'tower' END || '-' || «pad:4:c»,
    «id:'r' || «pad:15:c»»,
    CASE WHEN k < 600 THEN 'bays' WHEN k < 850 THEN 'keep-clear' WHEN k < 950 THEN 'dogs' WHEN k < 990 THEN 'roofs' ELSE 'by-hand' END,
    CASE h % 5 WHEN 0 THEN NULL WHEN 1 THEN 'fire-lane' WHEN 2 THEN 'sidewalk' WHEN 3 THEN 'bays-east' ELSE 'zone-' || «pad:4:c» END,
    CASE WHEN k < 600 THEN 'misparked_ebike' WHEN k < 850 THEN 'occupied_roadway' WHEN k < 950 THEN 'stray_dog'
        WHEN k < 990 THEN 'rooftop_structure' WHEN k < 999 THEN 'street_vendor' ELSE 'illegal_renovation' END,
    CASE WHEN h % 10 < 2 THEN 'high' WHEN h % 10 < 8 THEN 'medium' ELSE 'low' END,
    CASE WHEN n > 999000 THEN 'updated' ELSE 'ended' END, start - 30000000, start, start + 600000000,
    CASE WHEN n > 999000 THEN NULL ELSE start + 600000000 END, CASE WHEN n > 999000 THEN NULL ELSE 'cleared' END,
    CASE WHEN n % 100000 = 17 THEN 'cat' WHEN k < 600 THEN 'bicycle' WHEN k < 750 THEN 'car' WHEN k < 850 THEN 'truck'
        WHEN k < 950 THEN 'dog' ELSE NULL END,
    n, «json:'[0.1,0.2,0.3,0.7]'», 1, 0.5, NULL,
    CASE WHEN n % 5 = 0 THEN «json:'{"position":{"point":{"latitude":30.5,"longitude":120.75},"uncertainty_meters":0.5},"building":null,"area_square_meters":null}'» END,
    CASE WHEN n % 5 = 0 THEN 30.5 + c / 10000.0 END, CASE WHEN n % 5 = 0 THEN 120.75 END,
    CASE WHEN n % 50 = 7 THEN «id:'i' || «pad:15:n - 1»» END, CASE WHEN n % 100 = 3 THEN «id:'m' || «pad:15:n»» END,
    CASE WHEN h % 20 = 0 THEN «id:'k' || «pad:15:n»» END, start + 1000000,
    state, CASE WHEN state = 'new' THEN NULL ELSE 'operator-' || (n % 12) END, CASE WHEN state = 'new' THEN NULL ELSE start + 900000000 END,
    CASE WHEN state <> 'dismissed' THEN NULL
        WHEN n % 33333 = 11 THEN 'other: 琉璃瓦 was there before'
        ELSE CASE h % 6 WHEN 0 THEN 'shadow' WHEN 1 THEN 'permitted' WHEN 2 THEN 'duplicate' WHEN 3 THEN 'weather' WHEN 4 THEN 'not_there' ELSE 'other' END
            || CASE WHEN n % 7 = 0 THEN ': ' || CASE n % 3 WHEN 0 THEN '树影晃动, 第' WHEN 1 THEN '业主已登记, 第' ELSE 'looked twice at no. ' END || n ELSE '' END
    END
FROM (SELECT *, 1700704800000000 + n * 94608000 + (h % 3600) * 1000000 AS start,
        CASE WHEN h % 20 = 0 THEN CASE WHEN n > 990000 THEN 'dispatched' ELSE 'closed' END
            WHEN n > 985000 AND h % 10 < 6 THEN 'new' WHEN h % 50 = 1 THEN 'new' WHEN h % 10 < 7 THEN 'dismissed' ELSE 'confirmed' END AS state
    FROM (SELECT n, h, (h % 2000) * (h / 2048 % 2000) / 2000 AS c, h / 64 % 1000 AS k
        FROM (SELECT n, n * 2654435761 % 4294967296 / 16 AS h FROM «series:1:INCIDENTS») AS hashed) AS drawn) AS made
ORDER BY n;

INSERT INTO incident_events (event_id, incident_id, sequence, site, node, at, received_at, version, document)
SELECT «id:'e' || «pad:11:track» || «pad:4:s.n»», incident_id, s.n, site, node, started_at + s.n * 1000000, started_at + s.n * 1000000, 1,
    «json:'{"event_id":"28fdb4c2-7a09-549b-9b2a-66a6a6fd3484","incident_id":"2c9fc06c-93c9-5290-97c9-7ba1524ac414","sequence":' || s.n ||
        ',"phase":"updated","kind":"misparked_ebike","severity":"' || severity || '","camera":"' || camera || '","preset":null,"run":"de0d8009-70f7-5f6a-ba9e-cad74d6068c5","rule":"' || rule ||
        '","zone":"fire-lane","at":"2026-11-22T02:00:04.000012Z","since":"2026-11-22T01:59:30Z","started_at":"2026-11-22T02:00:00Z","ended_at":null,"end_reason":null,"label":"car","track":11,"bbox":[0.1,0.2,0.55,0.7],"outline":null,"count":5,"score":0.35,"covered":0.25}'»
FROM incidents CROSS JOIN «series:0:EVENTS»;

INSERT INTO evidence (incident_id, role, path, media_type, bytes, sha256, site, node, camera, base_url, at, received_at)
SELECT incident_id, 'snapshot', node || '/' || started_at || '/snapshot.jpg', 'image/jpeg', 80000,
    'abababababababababababababababababababababababababababababababab', site, node, camera, 'http://192.0.2.7/evidence/', started_at, received_at
FROM incidents;

INSERT INTO cases (case_id, number, site, camera, kind, step, level, department, opened_at, opened_by, updated_at, closed_at,
    step_since, step_due, due, warn_at, escalate_at, place_text, note, reopened, sequence)
SELECT case_id, 'CASE-' || «pad:9:track», site, camera, kind, status, 'street', 'street-office', judged_at, 'operator', judged_at + 7200000000,
    CASE WHEN status = 'closed' THEN judged_at + 7200000000 END, judged_at,
    CASE WHEN status <> 'closed' THEN judged_at + 28800000000 END, CASE WHEN status <> 'closed' THEN judged_at + 86400000000 END,
    CASE WHEN status <> 'closed' THEN judged_at + 25000000000 END, CASE WHEN status <> 'closed' THEN judged_at + 28800000000 END,
    CASE track % 3 WHEN 0 THEN '北门' WHEN 1 THEN '幸福路' ELSE '菜市场' END || ' ' || (track % 900) || ' 号', 'reported from ' || camera, 0, 3
FROM incidents WHERE case_id IS NOT NULL;

INSERT INTO case_history (case_id, sequence, at, actor, action, from_step, to_step, level, detail)
SELECT case_id, s.n, opened_at + s.n * 1000000, CASE WHEN s.n = 2 THEN 'clock' ELSE 'operator' END, CASE WHEN s.n = 2 AND sequence = 2 THEN 'escalate' ELSE 'accept' END,
    'reported', 'accepted', 'street', «json:'{}'»
FROM cases CROSS JOIN «series:1:3»;

INSERT INTO audit (at, actor, action, subject_kind, subject_id, detail, position, leaf, link)
SELECT judged_at, judged_by, CASE WHEN status = 'closed' THEN 'case.close' ELSE 'incident.status' END, 'incident', 'subject-' || track || '-' || started_at, «json:'{"from":"new"}'», NULL, NULL, NULL
FROM incidents WHERE judged_at IS NOT NULL ORDER BY started_at;

INSERT INTO names (field, value)
    SELECT DISTINCT 'site', site FROM incidents
    UNION SELECT DISTINCT 'node', node FROM incidents
    UNION SELECT DISTINCT 'camera', camera FROM incidents
    UNION SELECT DISTINCT 'zone', zone FROM incidents WHERE zone IS NOT NULL
    UNION SELECT DISTINCT 'rule', rule FROM incidents
    UNION SELECT DISTINCT 'label', label FROM incidents WHERE label IS NOT NULL
    UNION SELECT DISTINCT 'reason', reason FROM incidents WHERE LENGTH(reason) <= 600;
