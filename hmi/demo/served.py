"""What a device has really given away: the account against which tests count."""

from typing import Any


class ServedLog:
    """The values of a device's sequence counter that were read by somebody, as ranges without holes."""

    def __init__(self) -> None:
        self.requests = 0
        self.reads = 0
        self._ranges: list[list[int]] = []

    def note(self, sequence: int) -> None:
        """The counter was served with this value."""
        self.reads += 1
        if self._ranges and self._ranges[-1][0] <= sequence <= self._ranges[-1][1]:
            return
        if self._ranges and sequence == self._ranges[-1][1] + 1:
            self._ranges[-1][1] = sequence
        else:
            self._ranges.append([sequence, sequence])

    def report(self, sequence: int) -> dict[str, Any]:
        """For JSON: the counter now, requests, how often the counter was served, and which values of it."""
        ranges = [list(r) for r in self._ranges]
        return {"sequence": sequence, "requests": self.requests, "reads": self.reads, "served": ranges}
