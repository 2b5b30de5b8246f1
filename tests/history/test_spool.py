"""The spool: what it has committed is there after anything, and what it could not keep is said."""

import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmi.core.alarm import Alarm, AlarmState
from hmi.core.batch import Batch, make_batch
from hmi.core.clock import DAY, MINUTE, SECOND, HandClock, SystemClock
from hmi.core.event import Coverage, Event, EventKind
from hmi.history.chunk import Chunk, DamagedChunkError, pack_samples, unpack_samples
from hmi.history.spool import Spool, SpoolError
from tests.history.conftest import AS_ROOT, TAGS, levels, until

NOW = HandClock().now_us()


def open_spool(folder: Path, max_bytes: int | None = None) -> Spool:
    return Spool(folder, TAGS, SystemClock(), keep_sent_us=DAY, max_bytes=max_bytes)


def everything(spool: Spool) -> list[Chunk]:
    found: list[Chunk] = []
    while more := spool.chunks(found[-1].seq if found else 0, 1_000_000):
        found += more
    return found


def values(spool: Spool) -> list[float]:
    return [v for chunk in everything(spool) for v in chunk.samples.value.tolist()]


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    n = draw(st.integers(1, 40))
    i64 = st.integers(-(2**63), 2**63 - 1)
    return make_batch(
        draw(st.lists(st.integers(0, 2**31 - 1), min_size=n, max_size=n)),
        draw(st.lists(i64, min_size=n, max_size=n)),
        draw(st.lists(st.floats(width=64), min_size=n, max_size=n)),
        draw(st.lists(st.integers(0, 2**32 - 1), min_size=n, max_size=n)),
        draw(st.one_of(st.just(0), st.lists(i64, min_size=n, max_size=n))),
        draw(st.one_of(st.none(), st.lists(i64, min_size=n, max_size=n))),
        draw(st.one_of(st.none(), st.lists(st.one_of(st.none(), st.text()), min_size=n, max_size=n))),
    )


@given(batches())
@settings(deadline=None, max_examples=60)
def test_that_any_samples_come_back_bit_for_bit(batch: Batch) -> None:
    back = unpack_samples(pack_samples(batch))
    for name in ("tag", "time_us", "status", "delay_us"):
        np.testing.assert_array_equal(getattr(back, name), getattr(batch, name))
    assert back.value.tobytes() == batch.value.tobytes()
    for column, mine in ((back.whole, batch.whole), (back.text, batch.text)):
        assert (column is None) == (mine is None)
        assert mine is None or column is not None
        assert mine is None or column.tolist() == mine.tolist()  # type: ignore[union-attr]


def test_that_damaged_bytes_are_recognised() -> None:
    good = pack_samples(levels(NOW, 100))
    for bad in (good[:20], b"", b"XXXX" + good[4:], good[:-3]):
        with pytest.raises(DamagedChunkError):
            unpack_samples(bad)


def test_that_samples_are_on_disk_within_50_ms(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.flush()
    took = []
    for i in range(5):
        begin = time.monotonic()
        spool.record(levels(NOW, 100))
        until(lambda i=i: spool.committed == (i + 1) * 100)  # type: ignore[misc]
        took.append(time.monotonic() - begin)
    spool.close()
    # The machine may be busy with other things; one of five shows what the spool itself takes.
    assert min(took) < 0.06


def test_that_recording_from_many_threads_loses_and_doubles_nothing(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)

    def write(who: int) -> None:
        for i in range(50):
            spool.record(levels(NOW, 10, first=who * 10_000 + i * 10))

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spool.flush()
    assert spool.committed == spool.waiting == 2000
    assert sorted(values(spool)) == sorted(float(w * 10_000 + i) for w in range(4) for i in range(500))
    spool.close()


def test_that_an_acknowledgement_survives_a_restart(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    seen = Alarm("tank.level/high", AlarmState.ACKNOWLEDGED, NOW, 0, NOW + 5, "ann", math.inf)
    spool.record_events([Event(NOW, EventKind.ALARM_ACKNOWLEDGED, "tank.level", "seen")], [seen])
    spool.close()
    again = open_spool(tmp_path)
    (found,) = again.alarms()
    assert (found.key, found.state, found.acknowledged_by, found.raised_us) == (seen.key, seen.state, "ann", NOW)
    assert everything(again)[0].events[0].text == "seen"
    again.close()


def test_that_a_second_process_cannot_open_the_same_spool(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    with pytest.raises(SpoolError, match="in use by another process"):
        open_spool(tmp_path)
    spool.close()


def test_that_the_dictionary_keeps_apart_what_changed_its_type(tmp_path: Path) -> None:
    from dataclasses import replace

    from hmi.core.tag import DataType, Lane

    spool = open_spool(tmp_path)
    spool.record(levels(NOW, 1))
    spool.use_tags([replace(TAGS[0], data_type=DataType.INT64)])
    spool.record(make_batch([0], NOW, [5.0], whole=[5]))
    spool.flush()
    found = [spool.dictionary[int(number)] for chunk in everything(spool) for number in chunk.samples.tag]
    assert [(t.name, t.lane) for t in found] == [("tank.level", Lane.FLOAT), ("tank.level", Lane.INT)]
    spool.close()


@pytest.mark.logs("spool")
@pytest.mark.parametrize("harm", ["overwritten", "empty tables", "cut"])
def test_that_an_unreadable_spool_is_put_aside_and_said(tmp_path: Path, harm: str) -> None:
    spool = open_spool(tmp_path)
    spool.record(levels(NOW, 10))
    old = spool.uuid
    spool.close()
    file = tmp_path / "spool.sqlite"
    if harm == "overwritten":
        file.write_bytes(b"This is no database." * 1000)
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:9000])
    else:
        with sqlite3.connect(file) as db:
            db.execute("DELETE FROM about")
        db.close()
    again = open_spool(tmp_path)
    assert again.uuid != old
    again.record(levels(NOW, 3))
    again.flush()
    chunks = everything(again)
    assert sum(chunk.n for chunk in chunks) == 3
    assert [e.kind for chunk in chunks for e in chunk.events] == [EventKind.HISTORY_GAP]
    assert len(list(tmp_path.glob("unreadable-*/spool.sqlite"))) == 1
    again.close()


def test_that_one_damaged_chunk_does_not_hide_the_others(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for i in range(3):
        spool.record(levels(NOW, 10, first=i * 10))
        spool.flush()
    spool.close()
    with sqlite3.connect(tmp_path / "spool.sqlite") as db:
        db.execute("UPDATE chunk SET samples = zeroblob(length(samples)) WHERE seq = 2")
    db.close()
    again = open_spool(tmp_path)
    chunks = everything(again)
    assert [bool(c.damaged) for c in chunks] == [False, True, False]
    assert chunks[1].n == 10
    assert values(again) == [float(v) for v in [*range(10), *range(20, 30)]]
    again.close()


def test_that_a_full_spool_keeps_the_oldest_and_records_the_gap(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=400_000)
    noise = np.random.default_rng(1)
    start = NOW

    def record(i: int) -> None:
        spool.record(make_batch(np.zeros(1000), start + i * SECOND + np.arange(1000), noise.random(1000)))
        spool.record_coverage([Coverage("collector", start, start + i * SECOND)])
        spool.flush()

    i = 0
    while not spool.lost:
        record(i)
        i += 1
        assert i < 500
    record(i)
    kept, lost_from = spool.committed, start + (i - 1) * SECOND
    assert spool.lost == 2000
    assert "used up" in spool.trouble
    assert len(values(spool)) == kept
    # The alarm came long before.
    events = [e for chunk in everything(spool) for e in chunk.events]
    assert [e.kind for e in events] == [EventKind.DISK_FILLING]
    warned = next(c.seq for c in everything(spool) if c.events)
    assert warned < 0.85 * spool.last_seq
    # The database takes what there is; room is made, and the gap is recorded.
    spool.mark_sent(spool.last_seq)
    until(lambda: spool.fill < 0.7)
    record(i + 1)
    record(i + 2)
    told = [e for chunk in everything(spool) for e in chunk.events if e.kind is EventKind.HISTORY_GAP]
    assert [e.detail["lost"] for e in told] == [2000]
    assert told[0].detail["from_us"] == lost_from
    rows = [row for chunk in everything(spool) for row in chunk.coverage]
    gap_end = told[0].detail["until_us"]
    assert Coverage("collector", start, start + (i - 2) * SECOND, rows[0].why) == rows[0]
    assert rows[0].why
    assert all(row.start_us >= gap_end for row in rows[1:] if row.end_us >= gap_end)
    spool.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB."""
    if not AS_ROOT:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", folder], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.logs("spool cannot write")
def test_that_a_disk_filled_by_others_loses_nothing_while_memory_lasts(small_disk: Path) -> None:
    spool = open_spool(small_disk)
    spool.record(levels(NOW, 100))
    spool.flush()
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    spool.record(levels(NOW, 100, first=100))
    spool.record_events([Event(NOW, EventKind.CONFIGURATION, "collector", "new files")])
    until(lambda: spool.lost or spool.trouble)
    filler.unlink()
    spool.flush(10)
    until(lambda: not spool.trouble)
    kept = values(spool)
    assert len(kept) + spool.lost == 200
    spool.record(levels(NOW, 10, first=200))
    spool.flush(10)
    kinds = [e.kind for chunk in everything(spool) for e in chunk.events]
    assert EventKind.CONFIGURATION in kinds
    assert (EventKind.HISTORY_GAP in kinds) == bool(spool.lost)
    spool.close()


_WRITER = """
import sys
from pathlib import Path
import numpy as np
from hmi.core.batch import make_batch
from hmi.core.clock import DAY, SystemClock
from hmi.history.spool import Spool
from hmi.core.tag import Tag
TAGS = [Tag("tank.level", 0)]
spool = Spool(Path(sys.argv[1]), TAGS, SystemClock(), keep_sent_us=DAY)
n = int(sys.argv[2])
while True:
    spool.record(make_batch(np.zeros(7), 1_700_000_000_000_000 + n + np.arange(7), n + np.arange(7.0)))
    n += 7
    if n % 700 == 0:
        spool.flush()
        print(n, flush=True)
"""


def test_that_nothing_committed_is_lost_or_doubled_when_the_writer_is_killed(tmp_path: Path, checkout: Path) -> None:
    begun = 0
    for _ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), str(begun)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
        )
        assert writer.stdout is not None
        promised = [int(writer.stdout.readline()) for _ in range(10)][-1]
        writer.send_signal(signal.SIGKILL)
        promised = max([promised, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
        writer.wait(10)
        writer.stdout.close()
        spool = open_spool(tmp_path)
        kept = values(spool)
        assert kept == [float(v) for v in range(len(kept))], "in order, without holes, none twice"
        assert len(kept) >= promised
        begun = len(kept)
        spool.close()


@pytest.mark.logs("cannot be written")
def test_that_a_batch_that_names_no_tag_of_the_plant_takes_no_other_with_it(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.record(levels(NOW, 5))
    spool.record(levels(NOW, 3, tag=9999))
    spool.record(levels(NOW, 5, first=5))
    spool.record_events([Event(NOW, EventKind.CONFIGURATION, "collector", "new files")])
    spool.flush()
    assert values(spool) == [float(v) for v in range(10)]
    assert spool.lost == 3
    spool.record(levels(NOW, 5, first=10))
    spool.flush()
    kinds = [e.kind for chunk in everything(spool) for e in chunk.events]
    assert sorted(kinds) == [EventKind.CONFIGURATION, EventKind.HISTORY_GAP]
    spool.close()


def test_that_sent_chunks_stay_for_their_time_and_then_go(tmp_path: Path) -> None:
    clock = HandClock()
    spool = Spool(tmp_path, TAGS, clock, keep_sent_us=MINUTE)
    spool.record(levels(NOW, 10))
    spool.flush()
    spool.mark_sent(1, 10)
    clock.advance_us(30 * SECOND)
    spool.record(levels(NOW, 10))
    spool.flush()
    assert [c.seq for c in everything(spool)] == [1, 2]
    clock.advance_us(MINUTE)
    spool.record(levels(NOW, 10))
    spool.flush()
    until(lambda: [c.seq for c in everything(spool)] == [2, 3], what="sent and old: gone; not sent: kept")
    assert spool.waiting == 20
    spool.close()
