"""How end-of-line measurements are shown to people: a short heading, a handy unit, sensible digits."""

import math
from dataclasses import dataclass

from controller.report.summary import EndOfLineValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A measurement's heading and unit; `per_si` turns the stored SI value into that unit."""

    heading: str
    unit: str
    per_si: float = 1.0
    digits: int = 2

    def shown(self, value: float | None) -> str:
        """The value in the handy unit, an en dash if there is none."""
        return "–" if value is None else f"{value * self.per_si:.{self.digits}f}"

    def window(self, measured: EndOfLineValue) -> str:
        """Its limits in words; empty if it has none."""
        low, high = measured.low, measured.high
        if low is None and high is None:
            return ""
        if low is None or (low == 0.0 and high is not None):
            return f"≤ {self.shown(high)}"
        if high is None:
            return f"≥ {self.shown(low)}"
        return f"{self.shown(low)} – {self.shown(high)}"


_KNOWN = {
    "bus": Quantity(heading="On its bus", unit="joints", digits=0),
    "alarm": Quantity(heading="Alarm", unit="fault bits", digits=0),
    "backlash": Quantity(heading="Backlash", unit="arcsec", per_si=math.degrees(3600), digits=1),
    "stiffness": Quantity(heading="Stiffness", unit="kN m/rad", per_si=1e-3),
    "current_ripple": Quantity(heading="Ripple", unit="% of mean", per_si=100, digits=1),
    "no_load_current": Quantity(heading="No-load", unit="A"),
    "back_drive_torque": Quantity(heading="Back-drive", unit="N m"),
    "torque_constant": Quantity(heading="Torque const.", unit="mN m/A", per_si=1e3, digits=1),
    "ratio": Quantity(heading="Ratio", unit="to 1"),
    "supply": Quantity(heading="Supply", unit="V"),
    "idle_current": Quantity(heading="Idle", unit="mA", per_si=1e3, digits=0),
    "encoder_offset": Quantity(heading="Offset", unit="°", per_si=math.degrees(1)),
    "field_travel": Quantity(heading="Field travel", unit="°", per_si=math.degrees(1), digits=0),
    "encoder_bit_balance": Quantity(heading="Encoder bits", unit="off balance", digits=3),
}


def quantity(name: str, unit: str) -> Quantity:
    """How to show a measurement; one not known here keeps its name and unit."""
    return _KNOWN.get(name, Quantity(heading=name.replace("_", " "), unit=unit, digits=4))
