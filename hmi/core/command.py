"""A write to a device: what is asked, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum


class WriteState(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def ended(self) -> bool:
        return self is not WriteState.PENDING


@dataclass(frozen=True, slots=True)
class Write:
    """One write. `id` is unique; `old` is the value before, as shown. `why` says what was wrong, for a person.

    `confirmed_by_user` is set once the operator has answered the question that a tag with `confirm` asks.
    """

    id: str
    tag: str
    value: float | int | bool | str
    who: str
    state: WriteState = WriteState.PENDING
    requested_us: int = 0
    ended_us: int = 0
    timeout_us: int = 0
    old: float | int | bool | str | None = None
    why: str = ""
    confirmed_by_user: bool = False
