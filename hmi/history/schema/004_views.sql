-- What people and other programs read.

CREATE FUNCTION status_name(status int4) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT name FROM status_code WHERE code = status::int8 & 4294901760),
        '0x' || upper(lpad(to_hex(status), 8, '0'))
    )
$$;
COMMENT ON FUNCTION status_name(int4) IS 'Symbolic name of a status code, or the code itself.';

CREATE FUNCTION status_class(status int4) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN status < 0 THEN 'bad' WHEN status >= 1073741824 THEN 'uncertain' WHEN status >= 0 THEN 'good' END
$$;
COMMENT ON FUNCTION status_class(int4) IS 'good, uncertain or bad.';

CREATE VIEW v_tag AS
SELECT name, description, unit, data_type, area, device, address, low, high, first_seen, changed, tag_id FROM tag;
COMMENT ON VIEW v_tag IS 'The tags.';

CREATE VIEW v_sample AS
SELECT s.time,
       t.name AS tag,
       coalesce(s.v_num, s.v_int::float8, s.v_bool::int4::float8) AS value,
       coalesce(s.v_text, s.v_int::text, s.v_bool::text, s.v_num::text) AS text,
       t.unit,
       status_class(s.status) AS quality,
       status_name(s.status) AS status,
       coalesce(s.delay_us, 0) / 1e6 AS delay_s
FROM sample s JOIN tag t USING (tag_id);
COMMENT ON VIEW v_sample IS 'Samples with the name and unit of their tag and the name of their status.';
COMMENT ON COLUMN v_sample.value IS 'The value as a number; empty for text.';
COMMENT ON COLUMN v_sample.text IS 'The exact value as text.';

CREATE VIEW v_event AS
SELECT time, kind, source, text, priority, who, key, detail FROM event;
COMMENT ON VIEW v_event IS 'What happened.';

CREATE FUNCTION value_at(tag_name text, at timestamptz)
RETURNS TABLE (sampled timestamptz, value float8, text text, quality text, status text)
LANGUAGE sql STABLE AS $$
    SELECT s.time,
           coalesce(s.v_num, s.v_int::float8, s.v_bool::int4::float8),
           coalesce(s.v_text, s.v_int::text, s.v_bool::text, s.v_num::text),
           coalesce(status_class(s.status), 'bad'),
           coalesce(status_name(s.status), 'BadNoData')
    FROM tag t
    LEFT JOIN LATERAL (
        SELECT c.start FROM coverage c
        WHERE c.source = 'collector' AND c.start <= at AND c.until >= at
        ORDER BY c.start DESC LIMIT 1
    ) c ON true
    LEFT JOIN LATERAL (
        SELECT * FROM sample s
        WHERE s.tag_id = t.tag_id AND s.time <= at AND s.time >= c.start
        ORDER BY s.time DESC LIMIT 1
    ) s ON true
    WHERE t.name = tag_name
$$;
COMMENT ON FUNCTION value_at(text, timestamptz) IS 'The value that a tag had at a time; BadNoData where the collector did not run then.';
