"""The way in: every sample of the plant passes here once, for live and history alike.

Intake cleans what a screen or a database would choke on, gives each sample its key, drops what came twice and what
did not change, and keeps time strictly rising for every tag, until it is told that the clock was set back.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hmi.collector.layers import Layers, Positions
from hmi.core.batch import Batch, Floats, Ints, Statuses, Tags, make_batch
from hmi.core.clock import DAY
from hmi.core.status import (
    BAD_OUT_OF_RANGE,
    BAD_TYPE_MISMATCH,
    BAD_WAITING_FOR_INITIAL_DATA,
    UNCERTAIN_LAST_USABLE_VALUE,
    is_bad,
)
from hmi.core.tag import Lane, Tag

EARLIEST_US = 946_684_800_000_000
"""2000-01-01: a source whose clock stands before it has lost its clock."""
AHEAD_US = DAY
"""A source clock further ahead than this is wrong."""
TEXT_LENGTH = 4000
"""Longest text kept of a value, in characters."""

_NEVER = np.iinfo(np.int64).min // 2


def clean_text(value: object) -> str | None:
    """Text that any database takes: no NUL, no half characters, bounded length. None for what is no text."""
    if not isinstance(value, str):
        return None
    text = value[:TEXT_LENGTH]
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii():
        # A lone surrogate is what a wrong decoder leaves behind; UTF-8 cannot hold it.
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text


class Intake:
    """Takes raw batches of devices and gives back what is accepted. Used on one thread.

    The columns hold, by tag index, the last *accepted* sample: what the deadband is measured against.
    `trusted` tells for each tag whether its device's clock may give the key.
    """

    def __init__(self, tags: Sequence[Tag], trusted: NDArray[np.bool_]) -> None:
        n = len(tags)
        self._trusted = trusted
        self._deadband: Floats = np.array([tag.deadband for tag in tags], np.float64)
        self._heartbeat_us: Ints = np.array([tag.heartbeat_us for tag in tags], np.int64)
        lanes = [tag.lane for tag in tags]
        self._is_text = np.array([lane is Lane.TEXT for lane in lanes], np.bool_)
        self._is_int = np.array([lane is Lane.INT for lane in lanes], np.bool_)
        self._is_bool = np.array([lane is Lane.BOOL for lane in lanes], np.bool_)
        self._any_trusted = bool(trusted.any())
        self._any_bool = bool(self._is_bool.any())
        self._any_text = bool(self._is_text.any())
        self._any_int = bool(self._is_int.any())
        self._layers = Layers(n)
        self._from_us: Ints = np.full(n, _NEVER, np.int64)
        self._renew = np.zeros(n, np.bool_)
        self._key_us: Ints = np.full(n, _NEVER, np.int64)
        # What was never accepted is not repeated: a derived tag that waits for its inputs says nothing yet.
        self._repeat_us: Ints = np.full(n, np.iinfo(np.int64).max, np.int64)
        self._source_us: Ints = np.full(n, _NEVER, np.int64)
        self._value: Floats = np.full(n, np.nan)
        self._status: Statuses = np.full(n, BAD_WAITING_FOR_INITIAL_DATA, np.uint32)
        self._whole: Ints = np.zeros(n, np.int64)
        self._text: NDArray[np.object_] = np.full(n, None, object)
        self._accepted = 0
        self._dropped = 0

    @property
    def accepted(self) -> int:
        """Samples accepted since the start."""
        return self._accepted

    @property
    def dropped(self) -> int:
        """Samples that were read and held nothing new."""
        return self._dropped

    def begin(self, tags: Tags, from_us: int) -> None:
        """A device is there: no sample of its tags is keyed before `from_us`, and each is accepted anew once."""
        self._from_us[tags] = from_us
        self._renew[tags] = True

    def set_back(self, from_us: int) -> None:
        """The clock was set back to `from_us`: keys follow it again, and every tag is accepted anew once.

        From here on keys rise again for every tag; they may meet keys that were given before.
        """
        self._from_us[:] = from_us
        known = self._key_us != _NEVER
        self._renew[known] = True
        self._key_us[known] = from_us - 1
        self._repeat_us[known] = from_us + self._heartbeat_us[known]

    def accept(self, batch: Batch) -> Batch:
        """The samples of a raw batch that are new, cleaned and keyed, in the order in which they came."""
        if not len(batch):
            return batch
        batch = self._clean(batch)
        received_us = batch.time_us + batch.delay_us
        layers = self._layers.of(batch.tag)
        if layers is None:
            accepted = self._accept_layer(batch, received_us)
        else:
            accepted = self._accept_layers(batch, received_us, _without_doubles(batch, layers))
        self._accepted += len(accepted)
        self._dropped += len(batch) - len(accepted)
        return accepted

    def _accept_layer(self, batch: Batch, received_us: Ints) -> Batch:
        """What is new in a batch in which every tag stands once, under its key."""
        key_us = self._keys(batch, received_us)
        new = self._is_new(batch, key_us)
        if new.all():
            taken = batch
        else:
            taken, key_us, received_us = batch.take(np.flatnonzero(new)), key_us[new], received_us[new]
        self._remember(taken, key_us)
        return _keyed(taken, key_us, received_us)

    def _accept_layers(self, batch: Batch, received_us: Ints, layers: list[Positions]) -> Batch:
        chosen: list[Positions] = []
        keys = np.empty(len(batch), np.int64)
        for layer in layers:
            part = batch.take(layer)
            key_us = self._keys(part, received_us[layer])
            new = self._is_new(part, key_us)
            self._remember(part.take(new), key_us[new])
            keys[layer[new]] = key_us[new]
            chosen.append(layer[new])
        position = np.sort(np.concatenate(chosen))
        return _keyed(batch.take(position), keys[position], received_us[position])

    def mark(self, tags: Tags, status: int, now_us: int, *, keep_value: bool) -> Batch:
        """The collector's own word on tags: the same value, or none, with another status, keyed now.

        Tags that have that status already are left out.
        """
        changed: Tags = tags[self._status[tags] != np.uint32(status)]
        return self._own(changed, np.full(len(changed), status, np.uint32), now_us, keep_value=keep_value)

    def heartbeat(self, tags: Tags, now_us: int) -> Batch:
        """The last accepted samples of `tags` again, where that is longer ago than the tag's heartbeat."""
        due: Tags = tags[(now_us >= self._repeat_us[tags]) & (self._key_us[tags] != _NEVER)]
        return self._own(due, self._status[due], now_us, keep_value=True)

    def age(self, tags: Tags, now_us: int) -> Batch:
        """The last accepted samples of `tags` again, and none of them as good: they hold until they are read again.

        What is bad stays bad, which says more than that it is old.
        """
        known: Tags = tags[self._key_us[tags] != _NEVER]
        status = self._status[known]
        status = np.where(is_bad(status), status, np.uint32(UNCERTAIN_LAST_USABLE_VALUE)).astype(np.uint32)
        return self._own(known, status, now_us, keep_value=True)

    def _own(self, tags: Tags, status: Statuses, now_us: int, *, keep_value: bool) -> Batch:
        if not len(tags):
            return make_batch([], 0, [])
        key_us: Ints = np.maximum(np.int64(now_us), self._key_us[tags] + 1)
        batch = Batch(
            tags,
            key_us,
            self._value[tags] if keep_value else np.full(len(tags), np.nan),
            status,
            now_us - key_us,
            self._whole[tags] if self._any_int else None,
            (self._text[tags] if keep_value else np.full(len(tags), None, object)) if self._any_text else None,
        )
        source_us = self._source_us[tags]
        self._remember(batch, key_us)
        # What the device said last stays known, so that the same answer is still recognised as the same.
        self._source_us[tags] = source_us
        self._accepted += len(batch)
        return batch

    def _clean(self, batch: Batch) -> Batch:
        tag = batch.tag
        value, status, whole, text = batch.value, batch.status, batch.whole, batch.text
        no_number = ~np.isfinite(value)
        if self._any_text:
            is_text = self._is_text[tag]
            no_number &= ~is_text
            value = np.where(is_text, np.nan, value)
            text, missing = _clean_texts(text, is_text)
            status = np.where(missing & ~is_bad(status), np.uint32(BAD_TYPE_MISMATCH), status)
        # A status that promises a number while there is none would be a lie on the screen.
        if no_number.any():
            value = np.where(no_number, np.nan, value)
            status = np.where(no_number & ~is_bad(status), np.uint32(BAD_OUT_OF_RANGE), status)
        if self._any_bool:
            value = np.where(self._is_bool[tag] & ~no_number, (value != 0).astype(np.float64), value)
        if self._any_int and whole is None:
            whole = np.zeros(len(tag), np.int64)
            exact = self._is_int[tag] & ~no_number & (np.abs(value) < 2**63)
            whole[exact] = np.rint(value[exact]).astype(np.int64)
        return Batch(tag, batch.time_us, value, status, batch.delay_us, whole, text)

    def _keys(self, batch: Batch, received_us: Ints) -> Ints:
        tag, source_us = batch.tag, batch.time_us
        last_us = self._key_us[tag]
        key_us = received_us
        if self._any_trusted:
            key_us = self._trusted_keys(tag, source_us, received_us)
        late = key_us <= last_us
        if late.any():
            # A source whose clock went back is keyed by receipt, until it has passed its own last sample again.
            key_us = np.where(late, np.maximum(received_us, last_us + 1), key_us)
        return key_us

    def _trusted_keys(self, tag: Tags, source_us: Ints, received_us: Ints) -> Ints:
        usable = self._trusted[tag] & (source_us >= EARLIEST_US) & (source_us - received_us <= AHEAD_US)
        return np.where(usable, np.maximum(source_us, self._from_us[tag]), received_us)

    def _is_new(self, batch: Batch, key_us: Ints) -> NDArray[np.bool_]:
        tag = batch.tag
        last = self._value[tag]
        # NaN lies within no deadband; a value that was none before and is none now has not moved.
        differs = ~(np.abs(batch.value - last) <= self._deadband[tag])
        if differs.any():
            none_now, none_before = np.isnan(batch.value), np.isnan(last)
            differs &= ~(none_now & none_before)
        if self._any_int and batch.whole is not None:
            is_int = self._is_int[tag] & ~np.isnan(batch.value) & ~np.isnan(last)
            # Above 2^53 a float64 no longer tells neighbours apart.
            step = batch.whole - self._whole[tag]
            differs = np.where(is_int, (step != 0) & (np.abs(step.astype(np.float64)) > self._deadband[tag]), differs)
        if self._any_text and batch.text is not None:
            differs = np.where(self._is_text[tag], batch.text != self._text[tag], differs)
        differs |= batch.status != self._status[tag]
        late = key_us >= self._repeat_us[tag]
        if late.any():
            differs |= late & (batch.time_us != self._source_us[tag])
        return np.asarray(differs | self._renew[tag], np.bool_)

    def _remember(self, batch: Batch, key_us: Ints) -> None:
        tag = batch.tag
        self._key_us[tag] = key_us
        self._repeat_us[tag] = key_us + self._heartbeat_us[tag]
        self._source_us[tag] = batch.time_us
        self._value[tag] = batch.value
        self._status[tag] = batch.status
        self._renew[tag] = False
        if batch.whole is not None:
            self._whole[tag] = batch.whole
        if batch.text is not None:
            self._text[tag] = batch.text


def _keyed(batch: Batch, key_us: Ints, received_us: Ints) -> Batch:
    """The batch under its keys. A key that had to be pushed on beyond all clocks tells the true time by its delay."""
    pushed = (key_us > received_us) & (key_us != batch.time_us)
    delay_us = np.where(pushed, received_us - key_us, batch.delay_us) if pushed.any() else batch.delay_us
    return Batch(batch.tag, key_us, batch.value, batch.status, delay_us, batch.whole, batch.text)


def _clean_texts(
    text: NDArray[np.object_] | None, is_text: NDArray[np.bool_]
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Cleaned texts, None on the other lanes; and where a text is missing."""
    cleaned = np.full(len(is_text), None, object)
    missing = is_text.copy()
    if text is not None:
        for position in np.flatnonzero(is_text):
            cleaned[position] = clean_text(text[position])
            missing[position] = cleaned[position] is None
    return cleaned, missing


def _without_doubles(batch: Batch, layers: list[Positions]) -> list[Positions]:
    """The layers without samples that are followed by another of the same tag and source time."""
    order = np.lexsort((np.arange(len(batch)), batch.time_us, batch.tag))
    tag, time_us = batch.tag[order], batch.time_us[order]
    repeated = np.r_[(tag[1:] == tag[:-1]) & (time_us[1:] == time_us[:-1]), False]
    keep = np.ones(len(batch), np.bool_)
    keep[order[repeated]] = False
    return [kept for layer in layers if len(kept := layer[keep[layer]])]
