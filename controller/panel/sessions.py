"""Proofs of who somebody is: logins of browsers, tokens of scripts, one-shot tickets of streams. Stored as hashes only."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from controller.panel.database import PanelDatabase
from controller.panel.users import Role, User, UserError

_TICKET_NS = 10 * 10**9
_DAY_NS = 86_400 * 10**9
_MOST_TICKETS = 1000
_TOUCH_NS = 10 * 10**9  # a login's last use is written down no more often than this


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who has proven who they are.

    Attributes:
        name: The user.
        role: What they may do by this proof.
        key: Tells this login or token from every other; not secret.
        via: What kind of proof it was.
        confirmed_ns: When the password was typed last; 0 for tokens.
    """

    name: str
    role: Role
    key: str
    via: Literal["session", "token"]
    confirmed_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token as it is listed; its secret was shown once and is not known here."""

    id: int
    user: str
    label: str
    role: Role
    expires_ns: int


class SessionStore:
    """Logins, tokens and tickets.

    Args:
        database: Where they are kept.
        now_ns: Time of day (UTC).
        session_s: A login's longest life.
        idle_s: A login's longest time without use.
    """

    def __init__(
        self, database: PanelDatabase, now_ns: Callable[[], int], session_s: float, idle_s: float
    ) -> None:
        self._db = database
        self._now_ns = now_ns
        self._session_ns = int(session_s * 1e9)
        self._idle_ns = int(idle_s * 1e9)
        self._tickets: dict[bytes, tuple[Identity, int]] = {}
        self._local: dict[str, tuple[bytes, Role]] = {}

    def open(self, user: User) -> str:
        """Begin a login; returns its secret."""
        secret, now = secrets.token_urlsafe(32), self._now_ns()
        self._db.execute(
            "DELETE FROM session WHERE created_ns < ? OR used_ns < ?",
            (now - self._session_ns, now - self._idle_ns),
        )
        self._db.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?)", (_hash(secret), user.name, now, now, now)
        )
        return secret

    def of_session(self, secret: str) -> Identity | None:
        """Whose login it is; None when it is unknown or has ended. Counts as use."""
        hashed, now = _hash(secret), self._now_ns()
        rows = self._db.rows(
            "SELECT name, role, session.created_ns, used_ns, confirmed_ns FROM session "
            "JOIN user ON name = user WHERE session.hash = ?",
            (hashed,),
        )
        if not rows:
            return None
        name, role, created, used, confirmed = rows[0]
        if now - created > self._session_ns or now - used > self._idle_ns:
            self._db.execute("DELETE FROM session WHERE hash = ?", (hashed,))
            return None
        if now - used > _TOUCH_NS:
            self._db.execute("UPDATE session SET used_ns = ? WHERE hash = ?", (now, hashed))
        key = f"session-{hashed.hex()[:16]}"
        return Identity(name=name, role=Role(role), key=key, via="session", confirmed_ns=confirmed)

    def confirm(self, secret: str) -> None:
        """The password was typed again just now."""
        self._db.execute(
            "UPDATE session SET confirmed_ns = ? WHERE hash = ?", (self._now_ns(), _hash(secret))
        )

    def close(self, secret: str) -> None:
        """End a login."""
        self._db.execute("DELETE FROM session WHERE hash = ?", (_hash(secret),))

    def issue(self, user: str, role: Role, label: str, days: int) -> str:
        """Make a token for scripts; returns its secret, which is not kept.

        Raises:
            UserError: When the user does not exist or has less than the role.
        """
        rows = self._db.rows("SELECT role FROM user WHERE name = ?", (user,))
        if not rows:
            raise UserError(f"there is no user {user!r}")
        if not Role(rows[0][0]).includes(role):
            raise UserError(f"role {role} is more than {user} has (allowed: up to {rows[0][0]})")
        secret, now = f"jointcell_{secrets.token_urlsafe(32)}", self._now_ns()
        self._db.execute(
            "INSERT INTO token (hash, user, label, role, created_ns, expires_ns) VALUES (?, ?, ?, ?, ?, ?)",
            (_hash(secret), user, label, role, now, now + days * _DAY_NS),
        )
        return secret

    def local(self, name: str = "command line", role: Role = Role.OPERATOR) -> str:
        """A token of a program on this machine, for as long as this process lives; its one before is void."""
        secret = f"jointcell_{secrets.token_urlsafe(32)}"
        self._local[name] = (_hash(secret), role)
        return secret

    def of_token(self, secret: str) -> Identity | None:
        """Whose token it is, with the lesser of its role and its user's; None when unknown or expired."""
        for name, (hashed, role) in self._local.items():
            if hmac.compare_digest(_hash(secret), hashed):
                return Identity(name=name, role=role, key=f"local-{name}", via="token")
        rows = self._db.rows(
            "SELECT id, user, token.role, user.role, expires_ns FROM token JOIN user ON name = user "
            "WHERE token.hash = ?",
            (_hash(secret),),
        )
        if not rows or rows[0][4] <= self._now_ns():
            return None
        number, user, given, has, _ = rows[0]
        role = Role(given) if Role(has).includes(Role(given)) else Role(has)
        return Identity(name=user, role=role, key=f"token-{number}", via="token")

    def tokens(self) -> list[TokenRow]:
        """All tokens that have not expired."""
        rows = self._db.rows(
            "SELECT id, user, label, role, expires_ns FROM token WHERE expires_ns > ? ORDER BY id",
            (self._now_ns(),),
        )
        return [
            TokenRow(id=number, user=user, label=label, role=Role(role), expires_ns=expires)
            for number, user, label, role, expires in rows
        ]

    def revoke(self, number: int) -> bool:
        """Make a token worthless; whether there was one."""
        return self._db.execute("DELETE FROM token WHERE id = ?", (number,)) > 0

    def ticket(self, identity: Identity) -> str:
        """A one-shot ticket to open the stream with, for clients that have no cookie."""
        now = self._now_ns()
        fresh = {key: entry for key, entry in self._tickets.items() if entry[1] > now}
        self._tickets = dict(list(fresh.items())[-_MOST_TICKETS:])
        secret = secrets.token_urlsafe(24)
        self._tickets[_hash(secret)] = (identity, now + _TICKET_NS)
        return secret

    def redeem(self, ticket: str) -> Identity | None:
        """Whose ticket it is; each works once and for ten seconds."""
        identity, until = self._tickets.pop(_hash(ticket), (None, 0))
        return identity if until > self._now_ns() else None


def _hash(secret: str) -> bytes:
    """Secrets here are random and long: a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
