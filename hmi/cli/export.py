"""`hmi export`: history to a CSV file."""

import argparse
import csv
import fnmatch
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, TextIO

import numpy as np

from hmi.cli.opening import history_of, plant_or_reasons, quiet_file
from hmi.core.batch import Batch, make_batch
from hmi.core.clock import HOUR, SystemClock
from hmi.core.duration import parse_duration
from hmi.core.home import home_of
from hmi.core.moment import FORMS, iso, parse_moment
from hmi.core.plant import Plant
from hmi.core.session import HistoryUnavailableError
from hmi.core.status import BAD_NO_DATA, is_bad, name_of, quality_of
from hmi.core.tag import Lane, Tag
from hmi.history.reader import Reader

HELP = f"""Write history to a CSV file.

Without --every: one row a sample, with its status, beginning with the value that held at --from.
With --every: one row a tag and interval: the time-weighted mean, minimum, maximum, the last value, and how much of the
interval was good. What was not recorded counts as not good, and is never filled.

Times are those of the plant's zone: {FORMS}."""

_CHUNK_US = 2 * HOUR


class Rows(Protocol):
    """Where rows go: what `csv.writer` gives."""

    def writerow(self, row: Iterable[object], /) -> object: ...
    def writerows(self, rows: Iterable[Iterable[object]], /) -> object: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plant", type=Path, help="the plant's folder")
    parser.add_argument("--tags", required=True, metavar="PATTERN", help="such as 'FT-*' or 'P-301.*,PT-310'")
    parser.add_argument("--from", dest="start", required=True, metavar="TIME")
    parser.add_argument("--to", dest="end", default="now", metavar="TIME")
    parser.add_argument("--every", metavar="DURATION", help="such as 1min or 1h: one row an interval")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.csv")


def run(args: argparse.Namespace) -> int:
    plant = plant_or_reasons(args.plant)
    if plant is None:
        return 1
    now_us = SystemClock().now_us()
    try:
        start_us = parse_moment(args.start, plant.zone, now_us)
        end_us = parse_moment(args.end, plant.zone, now_us)
        every_us = parse_duration(args.every) if args.every else 0
    except ValueError as error:
        print(f"hmi export: {error}", file=sys.stderr)
        return 2
    if end_us <= start_us:
        print(f"hmi export: --to {args.end} is not after --from {args.start}", file=sys.stderr)
        return 2
    tags = _matching(plant, args.tags)
    if not tags:
        print(f"hmi export: no tag of {plant.name} matches '{args.tags}'", file=sys.stderr)
        return 1
    try:
        with (
            history_of(plant, home_of(args.plant), "export") as reader,
            quiet_file(args.output) as part,
            part.open("w", newline="", encoding="utf-8") as file,
        ):
            rows = _write(file, plant, reader, tags, start_us, end_us, every_us)
    except HistoryUnavailableError as error:
        print(f"hmi export: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"hmi export: {args.output} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{args.output}: {rows} rows of {len(tags)} tags")
    return 0


def _matching(plant: Plant, pattern: str) -> list[Tag]:
    patterns = [p.strip() for p in pattern.split(",") if p.strip()]
    return [tag for tag in plant.tags if any(fnmatch.fnmatchcase(tag.name, p) for p in patterns)]


def _write(
    file: TextIO, plant: Plant, reader: Reader, tags: Sequence[Tag], start_us: int, end_us: int, every_us: int
) -> int:
    """Rows in the order of time, chunk by chunk, so that a year fits in little memory."""
    out = csv.writer(file)
    if every_us:
        out.writerow(["time", "tag", "unit", "mean", "min", "max", "last", "good_percent"])
    else:
        out.writerow(["time", "tag", "value", "unit", "quality", "status"])
    step_us = max(_CHUNK_US // every_us, 1) * every_us if every_us else _CHUNK_US
    rows = 0
    at = start_us
    show = sys.stderr.isatty()
    while at < end_us:
        until = min(at + step_us, end_us)
        if every_us:
            rows += _intervals(out, plant, reader, tags, at, until, every_us)
        else:
            if at == start_us:
                rows += _samples(out, plant, reader.values_at(tags, start_us))
            rows += _samples(out, plant, reader.samples_between(tags, at, until))
        at = until
        if show:
            print(f"\r{100 * (at - start_us) // (end_us - start_us):3d} %", end="", file=sys.stderr)
    if show:
        print("\r", end="", file=sys.stderr)
    return rows


def _samples(out: Rows, plant: Plant, batch: Batch) -> int:
    for i in range(len(batch)):
        tag = plant.tags[int(batch.tag[i])]
        status = int(batch.status[i])
        quality = quality_of(status)
        out.writerow(
            [
                iso(int(batch.time_us[i]), plant.zone),
                tag.name,
                _value(tag, batch, i) if quality.has_value else "",
                tag.unit,
                quality.name.lower().replace("_", " "),
                name_of(status),
            ]
        )
    return len(batch)


def _value(tag: Tag, batch: Batch, i: int) -> str:
    if tag.lane is Lane.TEXT:
        return "" if batch.text is None or batch.text[i] is None else str(batch.text[i])
    if tag.lane is Lane.INT and batch.whole is not None:
        return str(int(batch.whole[i]))
    value = float(batch.value[i])
    if not math.isfinite(value):
        return ""
    return str(int(value)) if tag.lane is Lane.BOOL else repr(value)


def _intervals(
    out: Rows, plant: Plant, reader: Reader, tags: Sequence[Tag], start_us: int, end_us: int, every_us: int
) -> int:
    """Time-weighted statistics: a value holds until the next sample, bad and unrecorded time is left out."""
    held = reader.values_at(tags, start_us)
    between = reader.samples_between(tags, start_us, end_us)
    edges = np.arange(start_us, end_us, every_us, dtype=np.int64)
    # A collector that stopped leaves no sample: the ends of its coverage end every value.
    ends = [c.end_us for c in reader.coverage(start_us, end_us) if c.source == "collector" and c.end_us < end_us]
    rows: list[tuple[int, str, list[str]]] = []
    for tag in tags:
        if tag.lane is Lane.TEXT:
            continue
        series = _of_tag(tag, held, between, start_us, ends)
        for edge in edges:
            until = min(int(edge) + every_us, end_us)
            row = [iso(int(edge), plant.zone), tag.name, tag.unit, *_weigh(series, int(edge), until)]
            rows.append((int(edge), tag.name, row))
    rows.sort(key=lambda row: row[:2])
    out.writerows(row[2] for row in rows)
    return len(rows)


def _of_tag(tag: Tag, held: Batch, between: Batch, start_us: int, ends: Sequence[int]) -> Batch:
    first = held.take(held.tag == tag.index)
    mine = between.take(between.tag == tag.index)
    time_us = np.concatenate([np.full(len(first), start_us, np.int64), mine.time_us, np.asarray(ends, np.int64)])
    value = np.concatenate([first.value, mine.value, np.full(len(ends), np.nan)])
    status = np.concatenate([first.status, mine.status, np.full(len(ends), BAD_NO_DATA, np.uint32)])
    good = ~is_bad(status)
    order = np.argsort(time_us, kind="stable")
    return make_batch(np.zeros(len(order), np.int32), time_us[order], np.where(good, value, np.nan)[order])


def _weigh(series: Batch, start_us: int, end_us: int) -> list[str]:
    """mean, min, max, last and percent good of the step curve between two times."""
    at = int(np.searchsorted(series.time_us, start_us, "right")) - 1
    to = int(np.searchsorted(series.time_us, end_us, "left"))
    part = slice(max(at, 0), to)
    time_us, value = series.time_us[part], series.value[part]
    if not len(time_us):
        return ["", "", "", "", "0.0"]
    begin = np.maximum(time_us, start_us)
    width = np.diff(np.r_[begin, end_us]).astype(float)
    good = np.isfinite(value) & (width > 0)
    total = float(width[good].sum())
    if total <= 0:
        return ["", "", "", "", "0.0"]
    v, w = value[good], width[good]
    last = "" if math.isnan(value[-1]) else repr(float(value[-1]))
    percent = f"{100 * total / (end_us - start_us):.1f}"
    return [repr(float((v * w).sum() / total)), repr(float(v.min())), repr(float(v.max())), last, percent]
