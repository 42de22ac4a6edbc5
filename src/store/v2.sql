-- Entities that are no Flink jobs. kind: kda_application, vvp_job or flink_deployment. id: the ARN, the UUID, or
-- NAMESPACE/NAME. The other columns as in job and state_entry.
CREATE TABLE entity (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    entries INTEGER NOT NULL,
    evicted INTEGER NOT NULL,
    written INTEGER NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

CREATE TABLE entity_entry (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
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
    UNIQUE (kind, id, number)
);
CREATE INDEX entity_entry_written ON entity_entry (written);

-- Several applications may write into one log, each with a process of its own.
CREATE TABLE speaker (
    log_id INTEGER NOT NULL,
    cluster TEXT NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (log_id, cluster)
) WITHOUT ROWID;
INSERT INTO speaker (log_id, cluster, row) SELECT log_id, row ->> '$.cluster', row FROM log_process;
DROP TABLE log_process;

DROP VIEW jobs;
CREATE VIEW jobs AS
SELECT cluster, id,
       row ->> '$.name' AS name,
       row ->> '$.state' AS state,
       row ->> '$.since' AS since,
       coalesce(row ->> '$.restarts.failure', 0) AS restarts_failure,
       coalesce(row ->> '$.restarts.rescale', 0) AS restarts_rescale,
       coalesce(row ->> '$.restarts.process', 0) AS restarts_process,
       coalesce(row ->> '$.restarts.observed', 0) AS restarts_observed,
       row ->> '$.failure.class' AS failure_class,
       row ->> '$.failure.message' AS failure_message,
       row ->> '$.failure.at' AS failure_at,
       row ->> '$.flink_version' AS flink_version,
       row ->> '$.application' AS application,
       evicted
FROM job;

CREATE VIEW entities AS
SELECT kind, id,
       row ->> '$.story.state' AS state,
       row ->> '$.story.since' AS since,
       evicted
FROM entity;

CREATE VIEW entity_history AS
SELECT e.kind, e.id, e.at, e.from_state, e.to_state, e.basis, e.late, l.name AS log, e.line_offset
FROM entity_entry e
LEFT JOIN log l ON l.id = e.log_id
ORDER BY e.kind, e.id, e.number;
