-- What tells a copy that ends before byte_offset from another file that begins alike: points on the way, offset and hash of
-- each (src/tail/marks.rs), and when the file had last been written, in nanoseconds since 1970. Of positions saved without
-- them nothing is taken for such a copy.
ALTER TABLE file_position ADD COLUMN marks BLOB NOT NULL DEFAULT x'';
ALTER TABLE file_position ADD COLUMN mtime INTEGER NOT NULL DEFAULT 0;

-- Since when the program has not found the log, Unix seconds; null while it does.
ALTER TABLE log ADD COLUMN gone INTEGER;

-- What failed of a path that is no log: JSON, how often by the kind of operation. written as in job.
CREATE TABLE failure (
    path TEXT PRIMARY KEY,
    row TEXT NOT NULL,
    written INTEGER NOT NULL
) WITHOUT ROWID;

-- History in stretches: states that an entity entered between two commits lie in one row, so that a log full of
-- transitions costs few. first, count: number of its first entry among all that the entity ever had, and how many it holds.
-- entries: JSON, an array of [at, from_state, to_state, basis, late, log_id, line_offset]. written as in job.
CREATE TABLE job_stretch (
    seq INTEGER PRIMARY KEY,
    cluster TEXT NOT NULL,
    id TEXT NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    written INTEGER NOT NULL,
    entries TEXT NOT NULL,
    UNIQUE (cluster, id, first)
);
CREATE INDEX job_stretch_written ON job_stretch (written);
INSERT INTO job_stretch (cluster, id, first, count, written, entries)
SELECT cluster, id, min(number), count(*), max(written),
       '[' || group_concat(json_array(at, from_state, to_state, basis, late, log_id, line_offset), ',' ORDER BY number) || ']'
FROM state_entry
GROUP BY cluster, id, number / 48;

CREATE TABLE entity_stretch (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    written INTEGER NOT NULL,
    entries TEXT NOT NULL,
    UNIQUE (kind, id, first)
);
CREATE INDEX entity_stretch_written ON entity_stretch (written);
INSERT INTO entity_stretch (kind, id, first, count, written, entries)
SELECT kind, id, min(number), count(*), max(written),
       '[' || group_concat(json_array(at, from_state, to_state, basis, late, log_id, line_offset), ',' ORDER BY number) || ']'
FROM entity_entry
GROUP BY kind, id, number / 48;

DROP VIEW history;
DROP VIEW entity_history;
DROP TABLE state_entry;
DROP TABLE entity_entry;

CREATE VIEW history AS
SELECT s.cluster, s.id, j.row ->> '$.name' AS name,
       e.value ->> 0 AS at, e.value ->> 1 AS from_state, e.value ->> 2 AS to_state, e.value ->> 3 AS basis,
       e.value ->> 4 AS late, l.name AS log, e.value ->> 6 AS line_offset
FROM job_stretch s
JOIN json_each(s.entries) e
LEFT JOIN job j ON j.cluster = s.cluster AND j.id = s.id
LEFT JOIN log l ON l.id = e.value ->> 5
ORDER BY s.cluster, s.id, s.first, e.key;

CREATE VIEW entity_history AS
SELECT s.kind, s.id,
       e.value ->> 0 AS at, e.value ->> 1 AS from_state, e.value ->> 2 AS to_state, e.value ->> 3 AS basis,
       e.value ->> 4 AS late, l.name AS log, e.value ->> 6 AS line_offset
FROM entity_stretch s
JOIN json_each(s.entries) e
LEFT JOIN log l ON l.id = e.value ->> 5
ORDER BY s.kind, s.id, s.first, e.key;
