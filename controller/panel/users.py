"""Who may use the panel: names, roles, and passwords as scrypt hashes."""

import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from controller.panel.database import PanelDatabase

NAME = r"^[a-z][a-z0-9._-]{0,31}$"
PASSWORD_LENGTHS = (10, 200)
_BLOCK, _PARALLEL, _HASH_BYTES = 8, 3, 32


class UserError(Exception):
    """A user that cannot be added or changed; says what is allowed."""


class Role(StrEnum):
    """What somebody may do; each includes the one before."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, without anything secret."""

    name: str
    role: Role
    created_ns: int


class UserStore:
    """The users of a panel.

    Args:
        database: Where they are kept.
        now_ns: Time of day (UTC).
        log2_n: Cost of a hash, see `PanelSettings.scrypt_log2_n`.
    """

    def __init__(self, database: PanelDatabase, now_ns: Callable[[], int], log2_n: int = 15) -> None:
        self._db = database
        self._now_ns = now_ns
        self._log2_n = log2_n
        self._nobody = self._hashed(secrets.token_urlsafe())

    def all(self) -> list[User]:
        """Everybody, by name."""
        rows = self._db.rows("SELECT name, role, created_ns FROM user ORDER BY name")
        return [User(name=name, role=Role(role), created_ns=created) for name, role, created in rows]

    def add(self, name: str, role: Role, password: str) -> None:
        """Add a user.

        Raises:
            UserError: When the name is taken or malformed, or the password is too weak.
        """
        if not re.fullmatch(NAME, name):
            raise UserError(
                f"name {name!r} (allowed: a small letter, then up to 31 letters, digits, dots, - or _)"
            )
        self._check_password(name, password)
        try:
            self._db.execute(
                "INSERT INTO user VALUES (?, ?, ?, ?)", (name, role, self._hashed(password), self._now_ns())
            )
        except sqlite3.IntegrityError:
            raise UserError(f"name {name!r} is taken") from None

    def set_password(self, name: str, password: str) -> None:
        """Give a user another password; all of the user's logins end.

        Raises:
            UserError: When there is no such user or the password is too weak.
        """
        self._check_password(name, password)
        if not self._db.execute("UPDATE user SET hash = ? WHERE name = ?", (self._hashed(password), name)):
            raise UserError(f"there is no user {name!r}")
        self._db.execute("DELETE FROM session WHERE user = ?", (name,))

    def remove(self, name: str) -> None:
        """Remove a user with logins and tokens; the last engineer stays.

        Raises:
            UserError: When there is no such user, or nobody would be left to manage the others.
        """
        users = {user.name: user for user in self.all()}
        if name not in users:
            raise UserError(f"there is no user {name!r}")
        engineers = [user.name for user in users.values() if user.role is Role.ENGINEER]
        if engineers == [name]:
            raise UserError(f"{name!r} is the last engineer (first add another)")
        self._db.execute("DELETE FROM user WHERE name = ?", (name,))

    def verified(self, name: str, password: str) -> User | None:
        """The user when the password is right; takes as long when there is no such user."""
        rows = self._db.rows("SELECT role, hash, created_ns FROM user WHERE name = ?", (name,))
        role, stored, created = rows[0] if rows else (Role.VIEWER, self._nobody, 0)
        right = _matches(password, stored)
        return User(name=name, role=Role(role), created_ns=created) if rows and right else None

    def _check_password(self, name: str, password: str) -> None:
        least, most = PASSWORD_LENGTHS
        if not least <= len(password) <= most or password.casefold() == name:
            raise UserError(f"password (allowed: {least} to {most} characters, not the name)")

    def _hashed(self, password: str) -> str:
        salt = secrets.token_bytes(16)
        return f"scrypt${self._log2_n}${salt.hex()}${_scrypt(password, salt, self._log2_n).hex()}"


def _scrypt(password: str, salt: bytes, log2_n: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << log2_n,
        r=_BLOCK,
        p=_PARALLEL,
        maxmem=2 * 128 * _BLOCK * (1 << log2_n) + 2**20,
        dklen=_HASH_BYTES,
    )


def _matches(password: str, stored: str) -> bool:
    _, log2_n, salt, expected = stored.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(log2_n))
    return hmac.compare_digest(found, bytes.fromhex(expected))
