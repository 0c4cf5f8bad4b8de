"""The first user: a link that works once, shown in the terminal of whoever started the panel."""

import hmac
import secrets
from collections.abc import Callable

_LIFE_S = 3600.0


class SetupLink:
    """A secret that lets its bearer make the first engineer. There is no default password.

    Args:
        now_s: A monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._secret = secrets.token_urlsafe(24)
        self._until = now_s() + _LIFE_S

    @property
    def fragment(self) -> str:
        """The part of the link after '#': browsers do not send it, so that it is in no log."""
        return self._secret

    def accepts(self, secret: str) -> bool:
        """Whether a secret is the one, and still in time."""
        right = hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), self._secret.encode())
        return right and bool(self._secret) and self._now_s() < self._until

    def spend(self) -> None:
        """It has been used."""
        self._until = float("-inf")
