-- Samples on TimescaleDB, Apache or Community edition: a hypertable.

CREATE TABLE sample (
    time        timestamptz NOT NULL,
    tag_id      int4        NOT NULL,
    v_num       float8,
    v_int       int8,
    v_text      text,
    v_bool      bool,
    status      int4        NOT NULL,
    delay_us    int8
);
SELECT create_hypertable('sample', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
CREATE INDEX sample_tag_time ON sample (tag_id, time DESC);
-- For rollups, which want all tags of a short time; samples arrive nearly in the order of time.
CREATE INDEX sample_time ON sample USING brin (time) WITH (pages_per_range = 32, autosummarize = on);
COMMENT ON TABLE sample IS 'One row a sample. A value holds until the next row of its tag, as long as the collector ran (table coverage).';
COMMENT ON COLUMN sample.time IS 'Time at the source where its clock can be trusted, else time of receipt.';
COMMENT ON COLUMN sample.tag_id IS 'The tag (table tag).';
COMMENT ON COLUMN sample.v_num IS 'Value of a float tag; empty where there was none.';
COMMENT ON COLUMN sample.v_int IS 'Value of an integer tag.';
COMMENT ON COLUMN sample.v_text IS 'Value of a text tag.';
COMMENT ON COLUMN sample.v_bool IS 'Value of an on/off tag.';
COMMENT ON COLUMN sample.status IS 'OPC UA status code, its 32 bits as a signed number: 0 is Good, negative is Bad. View v_sample shows the name.';
COMMENT ON COLUMN sample.delay_us IS 'Time of receipt minus time at the source, microseconds; empty is 0.';
