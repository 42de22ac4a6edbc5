-- Tables hold rows as JSON where only the program looks into them; what is searched for has columns of its own.

-- A job, with all that deriving its state needs. entries: states that it ever entered. evicted: forgotten by the program,
-- kept here for its history and for its counters should it return. written: Unix seconds of the last change.
CREATE TABLE job (
    cluster TEXT NOT NULL,
    id TEXT NOT NULL,
    entries INTEGER NOT NULL,
    evicted INTEGER NOT NULL,
    written INTEGER NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (cluster, id)
) WITHOUT ROWID;

CREATE TABLE state_entry (
    seq INTEGER PRIMARY KEY,
    cluster TEXT NOT NULL,
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    at TEXT,
    from_state TEXT,
    to_state TEXT NOT NULL,
    basis TEXT NOT NULL,
    late INTEGER NOT NULL,
    log_id INTEGER NOT NULL,
    line_offset INTEGER NOT NULL,
    written INTEGER NOT NULL,
    UNIQUE (cluster, id, number)
);
CREATE INDEX state_entry_written ON state_entry (written);

-- carry: bytes that were read and may be continued by the next ones.
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    row TEXT NOT NULL,
    carry BLOB NOT NULL
);

CREATE TABLE log_process (
    log_id INTEGER PRIMARY KEY,
    row TEXT NOT NULL
);

-- One for each file of a log. head_hash is the FNV-1a hash of the first head_len bytes, as a signed number.
CREATE TABLE file_position (
    log TEXT NOT NULL,
    place INTEGER NOT NULL,
    dev INTEGER NOT NULL,
    ino INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL,
    head_len INTEGER NOT NULL,
    head_hash INTEGER NOT NULL,
    anchor BLOB NOT NULL,
    size INTEGER NOT NULL,
    done INTEGER NOT NULL,
    PRIMARY KEY (log, place)
) WITHOUT ROWID;

CREATE TABLE counter (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- For people.
CREATE VIEW jobs AS
SELECT cluster, id,
       row ->> '$.name' AS name,
       row ->> '$.state' AS state,
       row ->> '$.since' AS since,
       coalesce(row ->> '$.restarts.failure', 0) AS restarts_failure,
       coalesce(row ->> '$.restarts.rescale', 0) AS restarts_rescale,
       coalesce(row ->> '$.restarts.process', 0) AS restarts_process,
       row ->> '$.failure.class' AS failure_class,
       row ->> '$.failure.message' AS failure_message,
       row ->> '$.failure.at' AS failure_at,
       row ->> '$.flink_version' AS flink_version,
       evicted
FROM job;

CREATE VIEW history AS
SELECT e.cluster, e.id, j.row ->> '$.name' AS name, e.at, e.from_state, e.to_state, e.basis, e.late,
       l.name AS log, e.line_offset
FROM state_entry e
LEFT JOIN job j ON j.cluster = e.cluster AND j.id = e.id
LEFT JOIN log l ON l.id = e.log_id
ORDER BY e.cluster, e.id, e.number;

CREATE VIEW positions AS
SELECT log, dev, ino, byte_offset, size, done FROM file_position ORDER BY log, place;

CREATE VIEW logs AS
SELECT id, name, row ->> '$.cluster' AS cluster, row ->> '$.decoder.layout' AS layout, row ->> '$.read_bytes' AS read_bytes
FROM log ORDER BY name;

CREATE VIEW counters AS
SELECT kind, name, value FROM counter ORDER BY kind, name;
