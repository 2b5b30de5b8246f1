-- What long trends are read from, on servers without continuous aggregates: kept up by the collector.

CREATE TABLE sample_10m (
    bucket      timestamptz NOT NULL,
    tag_id      int4        NOT NULL,
    v_min       float8,
    v_max       float8,
    v_sum       float8,
    n           int8        NOT NULL,
    n_good      int8        NOT NULL,
    v_first     float8,
    v_last      float8,
    t_first     timestamptz NOT NULL,
    t_last      timestamptz NOT NULL,
    worst       int8        NOT NULL,
    PRIMARY KEY (tag_id, bucket)
);
COMMENT ON TABLE sample_10m IS 'Samples of ten minutes in one row. Complete for buckets that rollup_dirty does not name, up to rollup_state.until.';
COMMENT ON COLUMN sample_10m.bucket IS 'Beginning of the ten minutes.';
COMMENT ON COLUMN sample_10m.tag_id IS 'The tag (table tag).';
COMMENT ON COLUMN sample_10m.v_min IS 'Smallest value that was not bad.';
COMMENT ON COLUMN sample_10m.v_max IS 'Largest value that was not bad.';
COMMENT ON COLUMN sample_10m.v_sum IS 'Sum of the good values; the mean of the samples is v_sum / n_good.';
COMMENT ON COLUMN sample_10m.n IS 'Number of samples.';
COMMENT ON COLUMN sample_10m.n_good IS 'Number of samples with a good value.';
COMMENT ON COLUMN sample_10m.v_first IS 'First value.';
COMMENT ON COLUMN sample_10m.v_last IS 'Last value.';
COMMENT ON COLUMN sample_10m.t_first IS 'Time of the first sample.';
COMMENT ON COLUMN sample_10m.t_last IS 'Time of the last sample.';
COMMENT ON COLUMN sample_10m.worst IS 'Worst status code, as an unsigned number.';

CREATE TABLE rollup_state (
    relation    text        PRIMARY KEY,
    until       timestamptz NOT NULL
);
COMMENT ON TABLE rollup_state IS 'Up to when each rollup table is filled.';
COMMENT ON COLUMN rollup_state.relation IS 'The rollup table.';
COMMENT ON COLUMN rollup_state.until IS 'Buckets before this time are filled.';

CREATE TABLE rollup_dirty (
    bucket      timestamptz PRIMARY KEY
);
COMMENT ON TABLE rollup_dirty IS 'Buckets that got samples after they had been rolled up.';
COMMENT ON COLUMN rollup_dirty.bucket IS 'Beginning of the bucket.';
