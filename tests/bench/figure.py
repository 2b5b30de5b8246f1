"""One measured figure, beside what a peer reached where one was measured in the same run."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`unit` says what `value` and `peer_value` count; a bench without a peer leaves both peer fields empty."""

    bench: str
    figure: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the peer's value ours is."""
        return None if not self.peer_value else self.value / self.peer_value

    def as_json(self) -> str:
        return json.dumps(
            {
                "bench": self.bench,
                "figure": self.figure,
                "value": self.value,
                "unit": self.unit,
                "peer": self.peer,
                "peer_value": self.peer_value,
                "ratio": self.ratio,
            }
        )

    def as_text(self) -> str:
        line = f"{self.bench:<12} {self.figure:<24} {self.value:>14,.3f} {self.unit}"
        if self.peer is not None and self.peer_value is not None:
            line += f"   {self.peer}: {self.peer_value:,.3f} {self.unit}, ratio {self.ratio:.2f}"
        return line
