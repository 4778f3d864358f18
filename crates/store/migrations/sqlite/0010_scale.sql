-- Whether an incident is another sighting of one that is open or has just ended: few of all that ever were at a place.
CREATE INDEX incidents_lately ON incidents (site, kind, COALESCE(ended_at, 9223372036854775807))
    WHERE latitude IS NOT NULL AND same_as IS NULL;

-- The audit is read by time, newest first, whatever else is asked of it.
DROP INDEX audit_of_subject;
DROP INDEX audit_of_subject_id;
DROP INDEX audit_of_actor;
DROP INDEX audit_of_action;
CREATE INDEX audit_of_time ON audit (at, id);
CREATE INDEX audit_of_subject ON audit (subject_kind, subject_id, at, id);
CREATE INDEX audit_of_subject_id ON audit (subject_id, at, id);
CREATE INDEX audit_of_actor ON audit (actor, at, id);
CREATE INDEX audit_of_action ON audit (action, at, id);

-- What a search for cases looks through, line by line.
ALTER TABLE cases ADD COLUMN words TEXT GENERATED ALWAYS AS (
    LOWER(number || CHAR(10) || site || CHAR(10) || COALESCE(camera, '') || CHAR(10) || COALESCE(place_text, '') || CHAR(10) || COALESCE(note, ''))
) VIRTUAL;
-- Takes the place of the index by time alone: a search reads it in that order, and no row that does not match.
DROP INDEX cases_newest;
CREATE INDEX cases_words ON cases (opened_at DESC, case_id DESC, words);
