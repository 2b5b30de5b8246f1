"""Which stretch of time a trend shows, and how it moves: follow, pan, zoom. No Qt."""

from dataclasses import dataclass, replace

from hmi.core.clock import DAY, HOUR, MINUTE, SECOND

SPANS: tuple[tuple[str, int], ...] = (
    ("10 min", 10 * MINUTE),
    ("1 h", HOUR),
    ("8 h", 8 * HOUR),
    ("24 h", DAY),
    ("7 d", 7 * DAY),
)
"""The spans that have a button."""

SHORTEST_US = 2 * SECOND
LONGEST_US = 366 * DAY


@dataclass(frozen=True, slots=True)
class Timeline:
    """A span of time. While `following`, its end is the session's now."""

    end_us: int
    span_us: int = HOUR
    following: bool = True

    @property
    def start_us(self) -> int:
        return self.end_us - self.span_us

    def at_now(self, now_us: int) -> "Timeline":
        """The end moves along with the time, if it follows."""
        return replace(self, end_us=now_us) if self.following else self

    def follow(self, now_us: int) -> "Timeline":
        return replace(self, end_us=now_us, following=True)

    def with_span(self, span_us: int, now_us: int) -> "Timeline":
        """Another span with the same end; where it follows, it goes on following."""
        return self._limited(self.end_us, span_us, self.following, now_us)

    def pan(self, by_us: int, now_us: int) -> "Timeline":
        """Earlier (negative) or later. The future is not shown: at now it follows again."""
        end = self.end_us + by_us
        return self._limited(end, self.span_us, end >= now_us, now_us)

    def zoom(self, factor: float, about_us: int, now_us: int) -> "Timeline":
        """A span `factor` times as long, with `about_us` staying where it is; a following end stays at now."""
        span = min(max(round(self.span_us * factor), SHORTEST_US), LONGEST_US)
        if self.following:
            return self._limited(now_us, span, True, now_us)
        share = (about_us - self.start_us) / self.span_us
        end = about_us + round(span * (1 - share))
        return self._limited(end, span, False, now_us)

    def _limited(self, end_us: int, span_us: int, following: bool, now_us: int) -> "Timeline":
        span = min(max(span_us, SHORTEST_US), LONGEST_US)
        return Timeline(now_us if following else min(end_us, now_us), span, following)
