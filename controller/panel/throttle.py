"""Slows down the guessing of passwords. It stands before logins only: a command, a stop above all, never passes here."""

from collections import OrderedDict, deque
from collections.abc import Callable

_WINDOW_S = 60.0
_BY_NAME, _BY_ADDRESS = 5, 30
_REMEMBERED = 10_000


class LoginThrottle:
    """Counts failed logins of a name from an address, and all of an address, over the last minute.

    A name alone is not counted: whoever knows it could lock its owner out.

    Args:
        now_s: A monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._failures: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def wait_s(self, name: str, address: str) -> float:
        """How long to wait before the next attempt; 0 when it may be made now."""
        now = self._now_s()
        waits = [0.0]
        for key, most in (((name, address), _BY_NAME), ((address,), _BY_ADDRESS)):
            recent = self._failures.get(key, deque())
            while recent and recent[0] <= now - _WINDOW_S:
                recent.popleft()
            if len(recent) >= most:
                waits.append(recent[-most] + _WINDOW_S - now)
        return max(waits)

    def failed(self, name: str, address: str) -> None:
        """An attempt has failed."""
        for key in ((name, address), (address,)):
            self._failures.setdefault(key, deque(maxlen=_BY_ADDRESS)).append(self._now_s())
            self._failures.move_to_end(key)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
