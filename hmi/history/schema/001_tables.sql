-- Tables that are the same on every kind of server.

CREATE TABLE plant (
    name        text        PRIMARY KEY,
    writer      uuid,
    beat        timestamptz NOT NULL DEFAULT now(),
    kind        text        NOT NULL,
    first_seen  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE plant IS 'The plant whose history this database holds. One row: one database holds one plant.';
COMMENT ON COLUMN plant.name IS 'Name of the plant as in plant.yaml.';
COMMENT ON COLUMN plant.writer IS 'The spool that writes now. A collector whose spool is not this one stops writing (it was fenced off).';
COMMENT ON COLUMN plant.beat IS 'When the writer last wrote.';
COMMENT ON COLUMN plant.kind IS 'How samples are kept: postgresql (partitions), hypertable (TimescaleDB, Apache edition) or timescaledb (Community edition).';
COMMENT ON COLUMN plant.first_seen IS 'When this database was made for the plant.';

CREATE TABLE tag (
    tag_id      int4        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text        NOT NULL UNIQUE,
    description text        NOT NULL DEFAULT '',
    unit        text        NOT NULL DEFAULT '',
    data_type   text        NOT NULL,
    lane        text        NOT NULL,
    area        text        NOT NULL DEFAULT '',
    device      text        NOT NULL DEFAULT '',
    address     text        NOT NULL DEFAULT '',
    low         float8,
    high        float8,
    heartbeat   interval    NOT NULL DEFAULT '1 minute',
    first_seen  timestamptz NOT NULL DEFAULT now(),
    changed     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tag IS 'Every tag that was ever historized. Rows are never deleted; a renamed tag keeps its row.';
COMMENT ON COLUMN tag.tag_id IS 'Number by which samples name their tag.';
COMMENT ON COLUMN tag.name IS 'Name of the tag in the plant files.';
COMMENT ON COLUMN tag.description IS 'What the tag is, for people.';
COMMENT ON COLUMN tag.unit IS 'Engineering unit.';
COMMENT ON COLUMN tag.data_type IS 'Type in the device, such as float32.';
COMMENT ON COLUMN tag.lane IS 'Column of table sample that holds the values: float = v_num, int = v_int, bool = v_bool, text = v_text.';
COMMENT ON COLUMN tag.area IS 'Part of the plant.';
COMMENT ON COLUMN tag.device IS 'Device it is read from; empty for a derived tag.';
COMMENT ON COLUMN tag.address IS 'Address within the device.';
COMMENT ON COLUMN tag.low IS 'Lower end of the instrument range.';
COMMENT ON COLUMN tag.high IS 'Upper end of the instrument range.';
COMMENT ON COLUMN tag.heartbeat IS 'An unchanged value is stored again at least this often.';
COMMENT ON COLUMN tag.first_seen IS 'When the tag was first historized here.';
COMMENT ON COLUMN tag.changed IS 'When this row last changed.';

CREATE TABLE event (
    event_id    int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time        timestamptz NOT NULL,
    kind        text        NOT NULL,
    source      text        NOT NULL,
    text        text        NOT NULL,
    key         text        NOT NULL DEFAULT '',
    priority    int2        NOT NULL DEFAULT 0,
    who         text        NOT NULL DEFAULT '',
    detail      jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX event_time ON event (time, event_id);
CREATE INDEX event_alarm ON event (key, kind, time DESC, event_id DESC) WHERE kind LIKE 'alarm.%';
COMMENT ON TABLE event IS 'Alarm transitions, acknowledgements, writes, losses of devices, starts and stops, gaps in history.';
COMMENT ON COLUMN event.event_id IS 'Order of arrival.';
COMMENT ON COLUMN event.time IS 'When it happened.';
COMMENT ON COLUMN event.kind IS 'What happened, such as alarm.raised or write.confirmed.';
COMMENT ON COLUMN event.source IS 'Tag, device or collector that it concerns.';
COMMENT ON COLUMN event.text IS 'What happened, for people.';
COMMENT ON COLUMN event.key IS 'Alarm key or write id: events of one alarm or one write share it.';
COMMENT ON COLUMN event.priority IS 'Alarm priority, 1 (urgent) to 4 (low); 0 where there is none.';
COMMENT ON COLUMN event.who IS 'Login name of the person, empty where nobody acted.';
COMMENT ON COLUMN event.detail IS 'What the kind adds: value, limit, old, new, why.';

CREATE TABLE coverage (
    source      text        NOT NULL,
    start       timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    why         text        NOT NULL DEFAULT '',
    PRIMARY KEY (source, start)
);
CREATE INDEX coverage_until ON coverage (source, until);
COMMENT ON TABLE coverage IS 'When something was collected. Outside these times nothing is known, however old the last sample is.';
COMMENT ON COLUMN coverage.source IS 'collector, or a device.';
COMMENT ON COLUMN coverage.start IS 'Beginning of collecting.';
COMMENT ON COLUMN coverage.until IS 'End of collecting; moves on while it lasts.';
COMMENT ON COLUMN coverage.why IS 'Why it ended; empty while it goes on, or where nobody could say.';

CREATE TABLE spool_position (
    spool       uuid        PRIMARY KEY,
    seq         int8        NOT NULL,
    plant       text        NOT NULL,
    changed     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE spool_position IS 'How far each spool file has been stored. Moved in the transaction that stores, so that nothing comes twice.';
COMMENT ON COLUMN spool_position.spool IS 'Identity of the spool file on the collector''s disk.';
COMMENT ON COLUMN spool_position.seq IS 'Last chunk of that file that is stored here.';
COMMENT ON COLUMN spool_position.plant IS 'Plant that the spool belongs to.';
COMMENT ON COLUMN spool_position.changed IS 'When it last moved.';

CREATE TABLE quarantine (
    quarantine_id int8      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    spool       uuid        NOT NULL,
    tag         text        NOT NULL DEFAULT '',
    why         text        NOT NULL,
    content     jsonb       NOT NULL
);
COMMENT ON TABLE quarantine IS 'Samples and events that could not be stored as they are. Nothing else waits for them.';
COMMENT ON COLUMN quarantine.quarantine_id IS 'Order of arrival.';
COMMENT ON COLUMN quarantine.at IS 'When it was refused.';
COMMENT ON COLUMN quarantine.spool IS 'Spool file that it came from.';
COMMENT ON COLUMN quarantine.tag IS 'Tag of a sample; empty for an event.';
COMMENT ON COLUMN quarantine.why IS 'What the database said.';
COMMENT ON COLUMN quarantine.content IS 'The sample or event, with characters that the database refuses written as escapes.';

CREATE TABLE status_code (
    code        int8        PRIMARY KEY,
    name        text        NOT NULL
);
COMMENT ON TABLE status_code IS 'Names of OPC UA status codes.';
COMMENT ON COLUMN status_code.code IS 'Status code without its info bits, as an unsigned number.';
COMMENT ON COLUMN status_code.name IS 'Symbolic name.';
