"""Where a session stands, from no port to an arm that follows."""

from enum import Enum

from firmware_bridge.armlink.codes import Drive


class Phase(Enum):
    """What a session is about."""

    DOWN = "no port"
    OPENING = "asking who is there"
    CONFIRMING = "confirming identity, comparing clocks"
    READY = "identified; no power, or held by a stop"
    ENABLING = "powering up"
    ENABLED = "following"
    FAILED = "something happened that nobody ordered"


CONTROLS = {
    Drive.SWITCH_ON_DISABLED: (0x06, 0x07, 0x0F),
    Drive.READY_TO_SWITCH_ON: (0x07, 0x0F),
    Drive.SWITCHED_ON: (0x0F,),
    Drive.OPERATION_ENABLED: (0x0F,),
}
"""Controlwords that lead from a state of the drive to operation."""
