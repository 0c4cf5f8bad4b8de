"""Contact where none was planned, in simulation, as an alarm of the cell."""

from collections.abc import Mapping

from controller.supervision.alarms import Key
from sim.world import World

_FELT_S = 1.0  # how long a contact counts as holding after it began


class ContactSensor:
    """What the world's watch of contacts has seen lately, as `Surroundings`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self) -> Mapping[Key, str]:
        """Alarms that hold now."""
        since_s = self._world.time_ns * 1e-9 - _FELT_S
        return {
            Key("collision", contact.a): f"with {contact.b}"
            for contact in self._world.collisions
            if contact.time_s >= since_s
        }
