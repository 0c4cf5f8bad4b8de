"""Who is in control: at most one login at a time commands the cell; stop and abort are everybody's who may operate."""

from collections.abc import Callable

from controller.panel.sessions import Identity


class Control:
    """The one in control.

    It is taken explicitly, or with the first command while nobody has it; others take it over by naming the holder, so
    that nobody takes it from somebody they have not seen. It lapses with the holder's login, which `alive` tells.

    Args:
        alive: Whether the login or token of a key is still valid.
    """

    def __init__(self, alive: Callable[[Identity], bool]) -> None:
        self._alive = alive
        self._holder: Identity | None = None

    @property
    def holder(self) -> Identity | None:
        """Who it is; None when nobody is."""
        if self._holder is not None and not self._alive(self._holder):
            self._holder = None
        return self._holder

    def is_held_by(self, who: Identity) -> bool:
        """Whether it is this login."""
        return self.holder is not None and self.holder.key == who.key

    def take(self, who: Identity, instead_of: str = "") -> bool:
        """Take control; from somebody else only when ``instead_of`` names them. Whether it was taken."""
        holder = self.holder
        if holder is not None and holder.key != who.key and holder.name != instead_of:
            return False
        self._holder = who
        return True

    def release(self, who: Identity) -> bool:
        """Give it back; whether there was anything to give."""
        if not self.is_held_by(who):
            return False
        self._holder = None
        return True
