-- Times with three digits behind the point, whatever was written: '…:49.95Z' stands behind '…:49.953Z' where texts are compared.
DROP VIEW jobs;
CREATE VIEW jobs AS
SELECT cluster, id,
       row ->> '$.name' AS name,
       row ->> '$.state' AS state,
       coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', row ->> '$.since'), row ->> '$.since') AS since,
       coalesce(row ->> '$.restarts.failure', 0) AS restarts_failure,
       coalesce(row ->> '$.restarts.rescale', 0) AS restarts_rescale,
       coalesce(row ->> '$.restarts.process', 0) AS restarts_process,
       coalesce(row ->> '$.restarts.observed', 0) AS restarts_observed,
       row ->> '$.failure.class' AS failure_class,
       row ->> '$.failure.message' AS failure_message,
       coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', row ->> '$.failure.at'), row ->> '$.failure.at') AS failure_at,
       row ->> '$.flink_version' AS flink_version,
       row ->> '$.application' AS application,
       evicted
FROM job;

DROP VIEW entities;
CREATE VIEW entities AS
SELECT kind, id,
       row ->> '$.story.state' AS state,
       coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', row ->> '$.story.since'), row ->> '$.story.since') AS since,
       evicted
FROM entity;

DROP VIEW history;
CREATE VIEW history AS
SELECT s.cluster, s.id, j.row ->> '$.name' AS name,
       coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', e.value ->> 0), e.value ->> 0) AS at,
       e.value ->> 1 AS from_state, e.value ->> 2 AS to_state, e.value ->> 3 AS basis,
       e.value ->> 4 AS late, l.name AS log, e.value ->> 6 AS line_offset
FROM job_stretch s
JOIN json_each(s.entries) e
LEFT JOIN job j ON j.cluster = s.cluster AND j.id = s.id
LEFT JOIN log l ON l.id = e.value ->> 5
ORDER BY s.cluster, s.id, s.first, e.key;

DROP VIEW entity_history;
CREATE VIEW entity_history AS
SELECT s.kind, s.id,
       coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', e.value ->> 0), e.value ->> 0) AS at,
       e.value ->> 1 AS from_state, e.value ->> 2 AS to_state, e.value ->> 3 AS basis,
       e.value ->> 4 AS late, l.name AS log, e.value ->> 6 AS line_offset
FROM entity_stretch s
JOIN json_each(s.entries) e
LEFT JOIN log l ON l.id = e.value ->> 5
ORDER BY s.kind, s.id, s.first, e.key;
