"""Asking the operating system for punctuality."""

import contextlib
import ctypes
import os

_PRIORITY = 10
_LOCK_WHAT_IS_USED = 1 | 2 | 4  # MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT of mlockall(2)


def be_punctual(pid: int = 0) -> bool:
    """Let a process (0: this one) run as soon as it wants to, if this user may ask for that; whether it does.

    A busy machine else keeps it waiting for up to 150 ms. On Linux a user may ask with ``rtprio`` in
    ``limits.conf`` or with CAP_SYS_NICE; elsewhere nothing happens. This process's memory is not given away either:
    reading it back from a disk may take longer than a lease.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(_PRIORITY))
        if pid == 0:
            ctypes.CDLL(None).mlockall(_LOCK_WHAT_IS_USED)
        return True
    return False
