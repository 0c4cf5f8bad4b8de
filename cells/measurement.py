"""A measured value and the window it has to lie in."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measured value and its window; a value that is not a number is never inside."""

    name: str
    value: float
    unit: str
    low: float = -math.inf
    high: float = math.inf

    @property
    def ok(self) -> bool:
        """True inside the window, limits included."""
        return self.low <= self.value <= self.high

    def as_record(self) -> dict[str, float | str | bool | None]:
        """Value, unit, limits and verdict for JSON, with None for NaN and infinity, which it lacks."""

        def finite(number: float) -> float | None:
            return number if math.isfinite(number) else None

        return {
            "value": finite(self.value),
            "unit": self.unit,
            "low": finite(self.low),
            "high": finite(self.high),
            "ok": self.ok,
        }

    def __str__(self) -> str:
        """The value against its window, in words."""
        if math.isnan(self.value):
            return f"{self.name} could not be measured"
        verdict = "within" if self.ok else "outside"
        return f"{self.name} {self.value:.4g} {self.unit} {verdict} {self.low:.4g} to {self.high:.4g}"
