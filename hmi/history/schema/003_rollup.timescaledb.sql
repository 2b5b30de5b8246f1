-- Columnstore and continuous aggregates of TimescaleDB, Community edition. The names of the options are those that
-- older versions know as well.

ALTER TABLE sample SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'tag_id',
    timescaledb.compress_orderby = 'time DESC'
);

CREATE MATERIALIZED VIEW sample_1m WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '1 minute', time) AS bucket,
       tag_id,
       min(coalesce(v_num, v_int::float8, v_bool::int4::float8)) FILTER (WHERE status >= 0) AS v_min,
       max(coalesce(v_num, v_int::float8, v_bool::int4::float8)) FILTER (WHERE status >= 0) AS v_max,
       sum(coalesce(v_num, v_int::float8, v_bool::int4::float8)) FILTER (WHERE status >= 0 AND status < 1073741824) AS v_sum,
       count(*) AS n,
       count(coalesce(v_num, v_int::float8, v_bool::int4::float8)) FILTER (WHERE status >= 0 AND status < 1073741824) AS n_good,
       first(coalesce(v_num, v_int::float8, v_bool::int4::float8), time) AS v_first,
       last(coalesce(v_num, v_int::float8, v_bool::int4::float8), time) AS v_last,
       min(time) AS t_first,
       max(time) AS t_last,
       max(status::int8 & 4294967295) AS worst
FROM sample
GROUP BY 1, 2
WITH NO DATA;

CREATE MATERIALIZED VIEW sample_1h WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '1 hour', bucket) AS bucket,
       tag_id,
       min(v_min) AS v_min,
       max(v_max) AS v_max,
       sum(v_sum) AS v_sum,
       sum(n)::int8 AS n,
       sum(n_good)::int8 AS n_good,
       first(v_first, t_first) AS v_first,
       last(v_last, t_last) AS v_last,
       min(t_first) AS t_first,
       max(t_last) AS t_last,
       max(worst) AS worst
FROM sample_1m
GROUP BY 1, 2
WITH NO DATA;

ALTER MATERIALIZED VIEW sample_1m SET (timescaledb.compress = true);
ALTER MATERIALIZED VIEW sample_1h SET (timescaledb.compress = true);

COMMENT ON VIEW sample_1m IS 'Samples of a minute in one row: extremes of what was not bad, sum and number of what was good, first, last, worst status.';
COMMENT ON VIEW sample_1h IS 'Samples of an hour in one row, made of sample_1m.';

CREATE TABLE rollup_dirty (
    bucket      timestamptz PRIMARY KEY
);
COMMENT ON TABLE rollup_dirty IS 'Days that got samples later than the refresh policies reach back; the collector refreshes them.';
COMMENT ON COLUMN rollup_dirty.bucket IS 'Beginning of the day, UTC.';
