"""Which alarm a fault of a driver is, from its reason in words."""

import re
from collections.abc import Collection

from controller.supervision.alarms import Key

# Reasons are those of `sim.sim_arm`, `firmware_bridge.armlink` and `firmware_bridge.servos`.
_KINDS = (
    ("part_dropped", re.compile(r"^(lost|dropped) \w")),
    (
        "arm_lost",
        re.compile(
            r"^lost:|silent|no answer|disconnected|link|nothing heard|streaming ended|port is gone|serial lines has ended",
            re.IGNORECASE,
        ),
    ),
    ("collision", re.compile(r"collision|contact", re.IGNORECASE)),
)
# Alarms upon which everything has to stop.
TRIPS = frozenset(
    {
        "arm_fault",
        "arm_lost",
        "collision",
        "controller_failed",
        "part_dropped",
        "protective_stop",
        "station_fault",
    }
)


def alarm_of(resource: str, reason: str, arms: Collection[str]) -> Key:
    """The alarm of a resource that has faulted."""
    if resource not in arms:
        return Key("station_fault", resource)
    kind = next((kind for kind, words in _KINDS if words.search(reason)), "arm_fault")
    return Key(kind, resource)
