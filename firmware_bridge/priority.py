"""Asking the operating system for punctuality."""

import contextlib
import os

_PRIORITY = 10


def be_punctual(pid: int = 0) -> bool:
    """Let a process (0: this one) run as soon as it wants to, if this user may ask for that; whether it does.

    A busy machine else keeps it waiting for up to 150 ms. On Linux a user may ask with ``rtprio`` in
    ``limits.conf`` or with CAP_SYS_NICE; elsewhere nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(_PRIORITY))
        return True
    return False
