"""Ctrl-C that is never lost.

An exception raised while native code calls back into Python is printed and dropped there. LLVM calls back whenever a
kernel has been compiled, so a Ctrl-C at that moment would be ignored and the run would go on.
"""

import signal
import sys
from types import FrameType
from typing import Self


class Interrupts:
    """Raises KeyboardInterrupt on SIGINT and SIGTERM, and once more in `check` if it went astray."""

    def __init__(self) -> None:
        self._pending = False

    def __enter__(self) -> Self:
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in self._before:
            signal.signal(number, self._interrupt)
        self._report = sys.unraisablehook
        sys.unraisablehook = self._dropped
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._report

    def check(self) -> None:
        """Call it between steps of native work.

        Raises:
            KeyboardInterrupt: When there was a signal that has not ended the work.
        """
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._pending = True
        raise KeyboardInterrupt

    def _dropped(self, what: "sys.UnraisableHookArgs") -> None:
        """An exception that native code could not let through: an interrupt comes again in `check`."""
        if not isinstance(what.exc_value, KeyboardInterrupt):
            self._report(what)
